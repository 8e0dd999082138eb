/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Migrations: each is keyed by (module, number), carries the SHA-256 of its
 * text, and runs once, in a transaction together with the row that remembers
 * it.  What ran here and is not in this program was written by a newer one; what
 * ran here and differs from ours was changed.  Two programs that start at once
 * both look again inside the transaction.
 */
#include <string.h>

#include "base/err.h"
#include "gen/sql.h"
#include "store/store_int.h"

enum { RIVALS = 20 }; /* programs that start in the same instant */

static const char *const vault_names[] = { "strategic", "operational", "protection", "house", "test" };

static bool for_vault(const struct store *s, const struct store_migration *m)
{
	return (m->vaults & (1U << s->vault)) != 0;
}

/* Compare one row of the store with ours; *ret_known says whether it is one of ours. */
static int compare_row(const struct store *s, const struct store_rows *r, bool *done, struct diag *reterr)
{
	size_t module_len, sum_len, vault_len;
	const uint8_t *module = store_bytes(r, 0, &module_len);
	int64_t number = store_int(r, 1);
	const uint8_t *vault = store_bytes(r, 2, &vault_len);
	const uint8_t *sum = store_bytes(r, 3, &sum_len);
	const char *ours = vault_names[s->vault];
	if (vault_len != strlen(ours) || memcmp(vault, ours, vault_len) != 0)
		return diag_set(reterr, FW_EINVALID, "this store is of the vault \"%.*s\", not \"%s\"", (int)vault_len,
				(const char *)vault, ours);
	for (size_t i = 0; store_migrations[i].module != NULL; i++) {
		const struct store_migration *m = &store_migrations[i];
		if (!for_vault(s, m) || m->number != number || strlen(m->module) != module_len ||
		    memcmp(m->module, module, module_len) != 0)
			continue;
		if (sum_len != sizeof(m->checksum) || memcmp(sum, m->checksum, sum_len) != 0)
			return diag_set(reterr, FW_ETAMPERED,
					"the migration %s %d that ran here differs from this program's: the store "
					"or the program was changed",
					m->module, m->number);
		done[i] = true;
		return 0;
	}
	return diag_set(reterr, FW_ENEWER,
			"a newer program has been here (migration %.*s %lld): use that one, or restore a backup "
			"from before",
			(int)module_len, (const char *)module, (long long)number);
}

/* Which of our migrations ran: done[i]. */
static int read_done(struct store *s, bool *done, struct diag *reterr)
{
	struct store_rows *r = NULL;
	memset(done, 0, (STORE_MIGRATION_COUNT + 1) * sizeof(*done));
	int got = store_query(s, SQL_STORE_MIGRATION_LIST, NULL, 0, &r, reterr);
	while (got == 0 && (got = store_next(r, reterr)) == 1)
		got = compare_row(s, r, done, reterr);
	store_rows_close(r);
	return got < 0 ? got : 0;
}

struct step {
	size_t i;
};

static int run_one(struct store *s, void *arg, struct diag *reterr)
{
	const struct step *step = arg;
	const struct store_migration *m = &store_migrations[step->i];
	bool done[STORE_MIGRATION_COUNT + 1];
	int err = read_done(s, done, reterr);
	if (err != 0 || done[step->i])
		return err;
	/* The row first: of two programs that start at once, the second waits at its key and then sees it. */
	const struct store_value row[] = { sv_text(m->module), sv_int(m->number), sv_text(vault_names[s->vault]),
					   sv_bytes(m->checksum, sizeof(m->checksum)) };
	int64_t changed;
	err = store_exec(s, SQL_STORE_MIGRATION_ADD, row, 4, &changed, reterr);
	return err != 0 ? err : s->ops->script(s, m->sql[s->engine], reterr);
}

/*
 * In one transaction; a key that another program took in the same instant means: look again.  So does an
 * unknown outcome, since ${fn} looks first what is there.
 */
static int settle(struct store *s, store_tx_fn *fn, void *arg, struct diag *reterr)
{
	int err = FW_ECONSTRAINT;
	for (int n = 0; n < RIVALS && (err == FW_ECONSTRAINT || err == FW_EUNKNOWNOUTCOME); n++) {
		diag_clear(reterr);
		err = store_tx(s, STORE_WRITE, fn, arg, reterr);
	}
	return err;
}

static int make_table(struct store *s, void *arg, struct diag *reterr)
{
	(void)arg;
	return store_exec(s, SQL_STORE_MIGRATION_CREATE, NULL, 0, NULL, reterr);
}

static int read_in_tx(struct store *s, void *arg, struct diag *reterr)
{
	return read_done(s, arg, reterr);
}

int store_migrate(struct store *s, bool run, struct diag *reterr)
{
	bool done[STORE_MIGRATION_COUNT + 1];
	int err = run ? settle(s, make_table, NULL, reterr) : 0;
	if (err == 0)
		err = store_tx(s, STORE_READ, read_in_tx, done, reterr);
	for (size_t i = 0; err == 0 && store_migrations[i].module != NULL; i++) {
		struct step step = { i };
		if (done[i] || !for_vault(s, &store_migrations[i]))
			continue;
		if (!run)
			return diag_set(reterr, FW_EINVALID,
					"the store was written by an older program and has to be migrated first: "
					"starting the node does it");
		err = settle(s, run_one, &step, reterr);
	}
	return err;
}
