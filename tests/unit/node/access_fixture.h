/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * A whole node's access without processes: four stores in a folder of their
 * own, the demonstration's accounts in them, and a fake worker on each.
 */
#ifndef FW_TESTS_ACCESS_FIXTURE_H
#define FW_TESTS_ACCESS_FIXTURE_H

#include "fake_worker.h"
#include "gen/tables.h"
#include "node/access/access_init.h"
#include "node/access/house.h"

struct arena;

enum { NODE_URL = 300 };

/* On SQLite, or with FAIRWAY_TEST_PG in the environment on that PostgreSQL. */
struct node {
	char dir[64];
	struct arena *mem;                /* of the names below */
	const struct access_made *people; /* what access_init_demo() made */
	size_t npeople;
	struct worker *w[VAULT_COUNT];
	const struct wire_pair *settings;
	size_t nsettings;
};

/* ${settings} must outlive it; Argon2id at the floor unless they say otherwise. */
void node_start(struct node *n, const struct wire_pair *settings, size_t nsettings);
void node_stop(struct node *n);
/* Where a vault's store is. */
void node_url(const struct node *n, int vault, char out[NODE_URL]);
/* One worker dies and comes again. */
void node_restart(struct node *n, int vault);
/* All tasks of all workers until nothing is left to do. */
void node_settle(struct node *n);

const struct access_made *node_person(const struct node *n, const char *login);
/* A ticket as the house would make it for an open session: for what does not look at sessions. */
struct ticket node_ticket_for(const struct uuid *account);

/* A client: what a browser would hold. */
struct client {
	char token[64];
	struct ticket ticket;
	const char *address;
};

/* Log in; the answer's status. With 200 the client has token and ticket. */
int node_login(struct node *n, struct client *c, const char *login, const char *password);
/* Ask the house for the ticket of the client's token: whether there is one. */
bool node_refresh(struct node *n, struct client *c);
/* A request of the client to a vault; its token follows what the answer says, and its ticket is
 * renewed. Status. */
int node_call(struct node *n, struct client *c, int vault, int op, const char *param,
	      const char *body, struct fake_answer *ret);
/* The same when only the status matters. */
int node_status(struct node *n, struct client *c, int vault, int op, const char *param,
		const char *body);

/* An account made by the administrator; its password as handed over. */
struct uuid node_make_account(struct node *n, const char *login, char ret_password[64]);
/* The same, and its owner has set NODE_OWN_PASSWORD: now it may get a role. */
#define NODE_OWN_PASSWORD "a lantern above the quay"
struct uuid node_make_ready(struct node *n, const char *login);

/* The code that a device would show now. */
void node_device_code(const char *base32, char out[7]);
/* A request with {"code": ...}. Status. */
int node_give(struct node *n, struct client *c, int op, const char *code);
/* Enrol a factor in an open or enrol session. The secret and the first recovery code come back. */
void node_enrol(struct node *n, struct client *c, char secret[64], char recovery[64]);
/* Move the clock of everything forward. */
void node_wait(int64_t seconds);

/* Entries of the vault's ledger. */
uint64_t node_ledger_size(struct node *n, int vault);

#endif
