/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The limit of an import: the same rows into the same tables, by a loop that
 * does nothing else.
 *
 *     bench_bare STRATEGIC_DB INCIDENTS NEW_DB
 *
 * Takes the first INCIDENTS reports of a vault's store, with all their rows,
 * into memory; makes the same tables (keys, checks, foreign keys) in
 * NEW_DB under the same settings; then inserts them report by report in
 * transactions of a thousand, and tells how long the inserting took.  No
 * parsing, no validation, no ledger, no search for what is known: what SQLite
 * itself needs on this machine.
 */
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/time.h"

enum { TABLES_MAX = 60, COLUMNS_MAX = 60, INCIDENTS_A_TX = 1000, NAME_CAP = 80 };

struct value {
	int type; /* as SQLite names them */
	int n;
	union {
		int64_t i;
		double r;
		void *p;
	};
};

struct table {
	char name[NAME_CAP];
	int columns, key;    /* key: the column with the report's id */
	struct value *value; /* rows of columns */
	size_t rows, cap, at;
	sqlite3_stmt *insert;
};

static struct table tables[TABLES_MAX];
static size_t ntables;
static sqlite3 *from, *to;

static void must(sqlite3 *db, int rc, const char *what)
{
	if (rc == SQLITE_OK || rc == SQLITE_DONE || rc == SQLITE_ROW)
		return;
	(void)fprintf(stderr, "bench_bare: %s: %s\n", what, sqlite3_errmsg(db));
	exit(1);
}

static void *memory(void *p, size_t n)
{
	p = realloc(p, n > 0 ? n : 1);
	if (p == NULL)
		exit(1);
	return p;
}

static void keep(struct value *v, sqlite3_value *s)
{
	v->type = sqlite3_value_type(s);
	if (v->type == SQLITE_INTEGER) {
		v->i = sqlite3_value_int64(s);
	} else if (v->type == SQLITE_FLOAT) {
		v->r = sqlite3_value_double(s);
	} else if (v->type == SQLITE_TEXT || v->type == SQLITE_BLOB) {
		const void *p = sqlite3_value_blob(s);
		v->n = sqlite3_value_bytes(s);
		v->p = memory(NULL, (size_t)v->n);
		if (v->n > 0)
			memcpy(v->p, p, (size_t)v->n);
	}
}

/* Which column holds the report's id, -1 for a table that is none of a report's. */
static int key_of(sqlite3_stmt *st, const char *table)
{
	const char *want = strcmp(table, "report_incident") == 0 ? "id" : "incident";
	for (int i = 0; i < sqlite3_column_count(st); i++)
		if (strcmp(sqlite3_column_name(st, i), want) == 0)
			return i;
	return -1;
}

static void read_rows(struct table *t, sqlite3_stmt *st)
{
	int rc;
	while ((rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (t->rows == t->cap) {
			t->cap = t->cap == 0 ? 256 : t->cap * 2;
			t->value = memory(t->value, t->cap * (size_t)t->columns * sizeof(*t->value));
		}
		for (int i = 0; i < t->columns; i++)
			keep(&t->value[t->rows * (size_t)t->columns + (size_t)i], sqlite3_column_value(st, i));
		t->rows++;
	}
	must(from, rc, t->name);
}

/* The rows of the first reports: those up to the id of the last of them, in its order. */
static void take_table(const char *name, const char *sql, long incidents)
{
	struct table *t = &tables[ntables];
	char query[600];
	sqlite3_stmt *st = NULL;
	must(to, sqlite3_exec(to, sql, NULL, NULL, NULL), name);
	(void)snprintf(t->name, sizeof(t->name), "%s", name);
	(void)snprintf(query, sizeof(query), "SELECT * FROM %s", name);
	must(from, sqlite3_prepare_v2(from, query, -1, &st, NULL), query);
	t->columns = sqlite3_column_count(st);
	t->key = key_of(st, name);
	(void)sqlite3_finalize(st);
	if (t->key < 0 || t->columns > COLUMNS_MAX)
		return;
	const char *key = strcmp(name, "report_incident") == 0 ? "id" : "incident";
	(void)snprintf(query, sizeof(query), "SELECT * FROM %s WHERE %s <= (SELECT max(id) FROM (SELECT id FROM report_incident ORDER BY id LIMIT %ld)) ORDER BY %s",
		       name, key, incidents, key);
	must(from, sqlite3_prepare_v2(from, query, -1, &st, NULL), query);
	read_rows(t, st);
	(void)sqlite3_finalize(st);
	int n = snprintf(query, sizeof(query), "INSERT INTO %s VALUES (?1", name);
	for (int i = 2; i <= t->columns; i++)
		n += snprintf(query + n, sizeof(query) - (size_t)n, ",?%d", i);
	(void)snprintf(query + n, sizeof(query) - (size_t)n, ")");
	must(to, sqlite3_prepare_v3(to, query, -1, SQLITE_PREPARE_PERSISTENT, &t->insert, NULL), query);
	ntables++;
}

static void take_tables(long incidents)
{
	sqlite3_stmt *st = NULL;
	int rc;
	must(from, sqlite3_prepare_v2(from, "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name LIKE 'report\\_%' ESCAPE '\\' "
					    "ORDER BY rowid", -1, &st, NULL), "reading the schema");
	while ((rc = sqlite3_step(st)) == SQLITE_ROW && ntables < TABLES_MAX)
		take_table((const char *)sqlite3_column_text(st, 0), (const char *)sqlite3_column_text(st, 1), incidents);
	must(from, rc, "reading the schema");
	(void)sqlite3_finalize(st);
}

static void insert(struct table *t, const struct value *row)
{
	for (int i = 0; i < t->columns; i++) {
		const struct value *v = &row[i];
		switch (v->type) {
		case SQLITE_INTEGER: (void)sqlite3_bind_int64(t->insert, i + 1, v->i); break;
		case SQLITE_FLOAT: (void)sqlite3_bind_double(t->insert, i + 1, v->r); break;
		case SQLITE_TEXT: (void)sqlite3_bind_text(t->insert, i + 1, v->p, v->n, SQLITE_STATIC); break;
		case SQLITE_BLOB: (void)sqlite3_bind_blob(t->insert, i + 1, v->p, v->n, SQLITE_STATIC); break;
		default: (void)sqlite3_bind_null(t->insert, i + 1); break;
		}
	}
	must(to, sqlite3_step(t->insert), t->name);
	(void)sqlite3_reset(t->insert);
}

/* The first table is that of the reports; the rows of the others follow their report. */
static uint64_t insert_report(const struct value *report)
{
	uint64_t rows = 0;
	const struct value *id = &report[tables[0].key];
	for (size_t k = 0; k < ntables; k++) {
		struct table *t = &tables[k];
		for (; t->at < t->rows; t->at++, rows++) {
			const struct value *row = &t->value[t->at * (size_t)t->columns], *of = &row[t->key];
			if (of->n != id->n || memcmp(of->p, id->p, (size_t)id->n) != 0)
				break;
			insert(t, row);
		}
	}
	return rows;
}

int main(int argc, char **argv)
{
	long incidents = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	uint64_t rows = 0;
	if (incidents < 1) {
		(void)fprintf(stderr, "bench_bare STRATEGIC_DB INCIDENTS NEW_DB\n");
		return 2;
	}
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0); /* as the store has it */
	must(from, sqlite3_open_v2(argv[1], &from, SQLITE_OPEN_READONLY, NULL), argv[1]);
	must(to, sqlite3_open_v2(argv[3], &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL), argv[3]);
	must(to, sqlite3_exec(to, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; PRAGMA cache_size=-16384;"
				  "PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=1000; PRAGMA temp_store=MEMORY",
			      NULL, NULL, NULL), "settings");
	take_tables(incidents);
	if (ntables == 0 || tables[0].rows == 0) {
		(void)fprintf(stderr, "bench_bare: no reports in %s\n", argv[1]);
		return 1;
	}
	usec_t start = time_mono();
	for (size_t i = 0; i < tables[0].rows; i++) {
		if (i % INCIDENTS_A_TX == 0)
			must(to, sqlite3_exec(to, i == 0 ? "BEGIN IMMEDIATE" : "COMMIT; BEGIN IMMEDIATE", NULL, NULL, NULL), "begin");
		rows += insert_report(&tables[0].value[i * (size_t)tables[0].columns]);
	}
	must(to, sqlite3_exec(to, "COMMIT", NULL, NULL, NULL), "commit");
	double seconds = (double)(time_mono() - start) / 1e6;
	(void)printf("{\"incidents\":%zu,\"rows\":%" PRIu64 ",\"seconds\":%.3f,\"incidents_per_second\":%.0f,\"rows_per_second\":%.0f}\n",
		     tables[0].rows, rows, seconds, (double)tables[0].rows / seconds, (double)rows / seconds);
	(void)sqlite3_close(to);
	return 0;
}
