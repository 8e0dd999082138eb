/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* What the engines give and the rest of the store uses. Included in this folder only. */
#ifndef FW_STORE_STORE_INT_H
#define FW_STORE_STORE_INT_H

#include "store/store.h"

struct engine_ops {
	void (*close)(struct store *s);
	int (*begin)(struct store *s, enum store_tx_kind kind, struct diag *reterr);
	int (*commit)(struct store *s, struct diag *reterr);
	void (*rollback)(struct store *s);
	/* Whether the transaction that was begun is still there; asked after an error. */
	bool (*alive)(const struct store *s);
	int (*savepoint)(struct store *s, struct diag *reterr);
	int (*savepoint_release)(struct store *s, struct diag *reterr);
	int (*savepoint_rollback)(struct store *s, struct diag *reterr);
	/* ${id} and the arguments are checked already. */
	int (*exec)(struct store *s, int id, const struct store_value *args, size_t n, int64_t *ret_changed,
		    struct diag *reterr);
	int (*query)(struct store *s, int id, const struct store_value *args, size_t n, struct store_rows **ret,
		     struct diag *reterr);
	int (*next)(struct store_rows *r, struct diag *reterr);
	void (*rows_close)(struct store_rows *r);
	size_t (*columns)(const struct store_rows *r);
	bool (*is_null)(const struct store_rows *r, size_t col);
	int64_t (*get_int)(const struct store_rows *r, size_t col);
	double (*get_real)(const struct store_rows *r, size_t col);
	const uint8_t *(*get_bytes)(const struct store_rows *r, size_t col, size_t *ret_len);
	/* Only prepare it, to see whether the engine takes it. */
	int (*prepare)(struct store *s, int id, struct diag *reterr);
	/* The text of a migration: several statements, no arguments. */
	int (*script)(struct store *s, const char *sql, struct diag *reterr);
	int (*check)(struct store *s, struct diag *reterr);
	int (*maintain)(struct store *s, struct diag *reterr);
};

/* The first member of each engine's own struct. */
struct store {
	const struct engine_ops *ops;
	enum store_engine engine;
	enum store_role role;
	enum store_vault vault;
	enum store_tx_kind kind; /* of the open transaction */
	bool in_tx, in_savepoint, read_only;
	int broken; /* the error that spoiled the open transaction or savepoint; 0 while it is whole */
	bool gone;  /* the engine has rolled the whole transaction back by itself */
	uint64_t jitter; /* state of the generator of waits */
};

/* The first member of each engine's rows. */
struct store_rows {
	struct store *store;
};

int store_sqlite_open(const struct store_options *opt, struct store **ret, struct diag *reterr);
int store_pg_open(const struct store_options *opt, struct store **ret, struct diag *reterr);

/* Compare what ran here with what this program has; run what is missing if asked. */
int store_migrate(struct store *s, bool run, struct diag *reterr);

#endif
