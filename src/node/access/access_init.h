/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The first accounts of a node, written straight into its stores while no
 * process serves: for `fairway init` and its demonstration.
 *
 * This is the only place where a role comes from nobody: every later one
 * needs a custodian.  So it refuses to run on a house that has an account.
 * Each write leaves its entry in the ledger of its store.
 */
#ifndef FW_NODE_ACCESS_INIT_H
#define FW_NODE_ACCESS_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/uuid.h"

struct arena;
struct diag;
struct store;

struct access_named {
	int vault; /* enum vault */
	const char *login;
};

struct access_init {
	/* By enum vault, all four open with STORE_ROLE_INIT and migrated; not owned. */
	struct store *stores[4];
	/* Argon2id: settings session.argon2_passes and session.argon2_mib; 0: the standard. */
	unsigned argon2_passes, argon2_mib;
	/* access_init_first: names instead of the standard ones; of a vault that is not named,
	 * these. */
	const char *administrator;
	const struct access_named *custodians;
	size_t ncustodians;
	/* access_init_first: the first password of an account, or NULL for a random one. NULL: all
	 * random. */
	const char *(*password)(void *arg, const char *login);
	void *arg;
};

/* What the caller prints once and forgets: each is to be handed over. Strings in the arena. */
struct access_made {
	struct uuid id;
	const char *login, *display, *agency;
	const char *password;
	const char *words;        /* its role */
	const char *vault;        /* in which */
	const char *custodian_of; /* vault whose key pair this account must get; NULL if none */
};

/*
 * One agency, and in it an administrator and a custodian for each vault and
 * the house, two for protection: six accounts, named "administrator",
 * "custodian.strategic", "custodian.protection.1" and so on unless ${in} names
 * them.  Passwords must be changed at the first log-in.
 * *ret is an array in ${a}.  FW_EEXISTS when the house has accounts; FW_EINVALID for
 * a name that is none or is given twice, or too few custodians for a vault.
 */
int access_init_first(struct access_init *in, const char *agency_code, const char *agency_name,
		      struct arena *a, const struct access_made **ret, size_t *ret_n,
		      struct diag *reterr);

/*
 * The accounts of a demonstration, for nodes marked as exercise only: three
 * agencies and one synthetic person for each role (two custodians of
 * protection), all with the password ACCESS_DEMO_PASSWORD, which need not be
 * changed.  Log-in names are the roles with dots: "reporter", "focal.point",
 * "custodian.house".  Instead of access_init_first(), not after it.
 */
#define ACCESS_DEMO_PASSWORD "fairway-exercise"
int access_init_demo(struct access_init *in, struct arena *a, const struct access_made **ret,
		     size_t *ret_n, struct diag *reterr);

#endif
