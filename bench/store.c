/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What the store costs beside its engine.
 *
 *     bench_store [--json] [--rows N] [--store URL] [--folder DIR]
 *
 * Writes N rows (450,000 unless told) through store_exec(), 9,000 a transaction:
 * one parent of some 120 bytes with a UUIDv7 key to eight children of 24 bytes
 * that refer to it, as an import does.  Then, on SQLite, the same rows by a bare loop over SQLite's C
 * interface under the same settings, which is the limit, and by the program
 * sqlite3's own .import into tables of the same columns (no foreign key, one
 * transaction).  Last, one row a transaction, each on the disk before the next:
 * what a single officer's write waits for.
 */
#include <inttypes.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "gen/sql.h"
#include "store/store.h"

enum { CHILDREN = 8, PARENTS_A_TX = 1000, SINGLES = 300 };

static const char words[] = "Seventeen people were found aboard a small boat at the coast, all of them well.";

static char folder[200];
static bool json;

static void die(const char *what, int err, const char *more)
{
	(void)fprintf(stderr, "bench_store: %s: %s %s\n", what, err_name(err), more);
	exit(1);
}

static void tell(const char *name, double value, const char *unit)
{
	if (json)
		(void)printf("\"%s_%s\":%.1f,", name, unit, value);
	else
		(void)printf("%-28s %10.0f %s\n", name, value, unit);
}

/* ---- through the store ---- */

static int write_family(struct store *s, int64_t i, int children, struct diag *d)
{
	struct uuid id = uuid_new();
	const struct store_value parent[] = { sv_uuid(&id), sv_int(i), sv_real((double)i / 3),
					      sv_textn(words, sizeof(words) - 1), sv_null(), sv_uuid(&id) };
	int err = store_exec(s, SQL_TEST_ITEM_ADD, parent, 6, NULL, d);
	for (int k = 1; err == 0 && k <= children; k++) {
		const struct store_value child[] = { sv_uuid(&id), sv_int(k) };
		err = store_exec(s, SQL_TEST_PART_ADD, child, 2, NULL, d);
	}
	return err;
}

struct batch {
	int64_t first, n;
	int children;
};

static int write_batch(struct store *s, void *arg, struct diag *d)
{
	const struct batch *b = arg;
	int err = 0;
	for (int64_t i = 0; err == 0 && i < b->n; i++)
		err = write_family(s, b->first + i, b->children, d);
	return err;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void bench_single(struct store *s)
{
	static double us[SINGLES];
	for (int i = 0; i < SINGLES; i++) {
		struct batch one = { i, 1, 0 };
		usec_t from = time_mono();
		int err = store_tx(s, STORE_WRITE, write_batch, &one, NULL);
		if (err != 0)
			die("single", err, "");
		us[i] = (double)(time_mono() - from);
	}
	qsort(us, SINGLES, sizeof(*us), by_value);
	tell("one_row_a_transaction_p50", us[SINGLES / 2], "us");
	tell("one_row_a_transaction_p99", us[SINGLES * 99 / 100], "us");
}

static double bench_store(const char *url, int64_t parents)
{
	const struct store_options opt = { .url = url, .role = STORE_ROLE_TEST, .vault = "test", .create = true,
					   .migrate = true };
	struct store *s = NULL;
	struct diag d = DIAG_INIT;
	int err = store_open(&opt, &s, &d);
	if (err != 0)
		die("open", err, d.text);
	usec_t from = time_mono();
	for (int64_t i = 0; err == 0 && i < parents; i += PARENTS_A_TX) {
		struct batch b = { i, PARENTS_A_TX, CHILDREN };
		err = store_tx(s, STORE_WRITE, write_batch, &b, &d);
	}
	if (err != 0)
		die("write", err, d.text);
	double rate = (double)(parents * (CHILDREN + 1)) * 1e6 / (double)(time_mono() - from);
	tell("store", rate, "rows_per_second");
	bench_single(s);
	store_close(s);
	return rate;
}

/* ---- the bare loop ---- */

static void must(sqlite3 *db, int rc, const char *what)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		die(what, FW_ESTORE, sqlite3_errmsg(db));
}

static void bare_family(sqlite3 *db, sqlite3_stmt *item, sqlite3_stmt *part, int64_t i)
{
	struct uuid id = uuid_new();
	(void)sqlite3_bind_blob(item, 1, id.b, 16, SQLITE_STATIC);
	(void)sqlite3_bind_int64(item, 2, i);
	(void)sqlite3_bind_double(item, 3, (double)i / 3);
	(void)sqlite3_bind_text(item, 4, words, sizeof(words) - 1, SQLITE_STATIC);
	(void)sqlite3_bind_null(item, 5);
	(void)sqlite3_bind_blob(item, 6, id.b, 16, SQLITE_STATIC);
	must(db, sqlite3_step(item), "item");
	(void)sqlite3_reset(item);
	for (int k = 1; k <= CHILDREN; k++) {
		(void)sqlite3_bind_blob(part, 1, id.b, 16, SQLITE_STATIC);
		(void)sqlite3_bind_int64(part, 2, k);
		must(db, sqlite3_step(part), "part");
		(void)sqlite3_reset(part);
	}
}

static double bench_bare(const char *path, int64_t parents)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *item = NULL, *part = NULL;
	must(db, sqlite3_open(path, &db), "open");
	must(db, sqlite3_exec(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
				  "PRAGMA cache_size=-16384; PRAGMA secure_delete=ON; PRAGMA wal_autocheckpoint=1000;"
				  "CREATE TABLE test_item (id BLOB NOT NULL PRIMARY KEY, i INT, r REAL, t TEXT, b BLOB, u BLOB) STRICT;"
				  "CREATE TABLE test_part (item BLOB NOT NULL REFERENCES test_item (id), n INT NOT NULL CHECK (n > 0),"
				  "PRIMARY KEY (item, n)) STRICT", NULL, NULL, NULL), "schema");
	must(db, sqlite3_prepare_v2(db, store_statements[SQL_TEST_ITEM_ADD].sql[STORE_SQLITE], -1, &item, NULL), "item");
	must(db, sqlite3_prepare_v2(db, store_statements[SQL_TEST_PART_ADD].sql[STORE_SQLITE], -1, &part, NULL), "part");
	usec_t from = time_mono();
	for (int64_t i = 0; i < parents; i++) {
		if (i % PARENTS_A_TX == 0)
			must(db, sqlite3_exec(db, i == 0 ? "BEGIN IMMEDIATE" : "COMMIT; BEGIN IMMEDIATE", NULL, NULL, NULL), "begin");
		bare_family(db, item, part, i);
	}
	must(db, sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), "commit");
	double rate = (double)(parents * (CHILDREN + 1)) * 1e6 / (double)(time_mono() - from);
	(void)sqlite3_finalize(item);
	(void)sqlite3_finalize(part);
	(void)sqlite3_close(db);
	tell("bare_loop", rate, "rows_per_second");
	return rate;
}

/* ---- sqlite3's own .import ---- */

static void write_csv(const char *items, const char *parts, int64_t parents)
{
	FILE *a = fopen(items, "we"), *b = fopen(parts, "we");
	char id[UUID_TEXT_LEN + 1];
	for (int64_t i = 0; a != NULL && b != NULL && i < parents; i++) {
		struct uuid u = uuid_new();
		uuid_format(&u, id);
		(void)fprintf(a, "%s,%" PRId64 ",%.17g,\"%s\",,%s\n", id, i, (double)i / 3, words, id);
		for (int k = 1; k <= CHILDREN; k++)
			(void)fprintf(b, "%s,%d\n", id, k);
	}
	if (a == NULL || b == NULL || fclose(a) != 0 || fclose(b) != 0)
		die("csv", FW_ESTORE, "");
}

static void bench_import(int64_t parents)
{
	char db[300], items[300], parts[300], script[1500];
	(void)snprintf(db, sizeof(db), "%s/import.db", folder);
	(void)snprintf(items, sizeof(items), "%s/items.csv", folder);
	(void)snprintf(parts, sizeof(parts), "%s/parts.csv", folder);
	write_csv(items, parts, parents);
	(void)snprintf(script, sizeof(script), "%s/script", folder);
	FILE *f = fopen(script, "we");
	if (f == NULL ||
	    fprintf(f, "PRAGMA journal_mode=WAL;\nPRAGMA synchronous=FULL;\nPRAGMA cache_size=-16384;\n"
		       "CREATE TABLE test_item (id TEXT NOT NULL PRIMARY KEY, i INT, r REAL, t TEXT, b TEXT, u TEXT);\n"
		       "CREATE TABLE test_part (item TEXT NOT NULL, n INT NOT NULL CHECK (n > 0), PRIMARY KEY (item, n));\n"
		       ".mode csv\n.import %s test_item\n.import %s test_part\n", items, parts) < 0 ||
	    fclose(f) != 0)
		die("script", FW_ESTORE, "");
	(void)fflush(stdout);
	usec_t from = time_mono();
	pid_t pid = fork();
	if (pid == 0) {
		if (freopen(script, "r", stdin) != NULL && freopen("/dev/null", "w", stdout) != NULL)
			(void)execlp("sqlite3", "sqlite3", "-batch", db, (char *)NULL);
		_exit(127);
	}
	int status = -1;
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
		(void)fprintf(stderr, "bench_store: the program sqlite3 did not run; no .import to compare with\n");
		return;
	}
	tell("sqlite3_import", (double)(parents * (CHILDREN + 1)) * 1e6 / (double)(time_mono() - from), "rows_per_second");
}

static void remove_files(void)
{
	static const char *const names[] = { "s.db", "bare.db", "import.db" };
	static const char *const ends[] = { "", "-wal", "-shm" };
	static const char *const others[] = { "items.csv", "parts.csv", "script" };
	char path[300];
	for (size_t i = 0; i < 9; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s%s", folder, names[i / 3], ends[i % 3]);
		(void)unlink(path);
	}
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", folder, others[i]);
		(void)unlink(path);
	}
	(void)rmdir(folder);
}

int main(int argc, char **argv)
{
	int64_t rows = 450000;
	const char *store = NULL, *top = "/tmp";
	char url[400], path[300];
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--rows") == 0 && i + 1 < argc)
			rows = strtoll(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc)
			store = argv[++i];
		else if (strcmp(argv[i], "--folder") == 0 && i + 1 < argc)
			top = argv[++i];
		else
			return 2;
	}
	int64_t parents = (rows / (CHILDREN + 1) + PARENTS_A_TX - 1) / PARENTS_A_TX * PARENTS_A_TX;
	(void)snprintf(folder, sizeof(folder), "%s/bench-store-XXXXXX", top);
	if (parents < 1 || sodium_init() < 0 || mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(url, sizeof(url), "%s%s%s", store != NULL ? store : "sqlite:", store != NULL ? "" : folder,
		       store != NULL ? "" : "/s.db");
	if (json)
		(void)printf("{\"bench\":\"store\",\"engine\":\"%s\",\"rows\":%" PRId64 ",", store == NULL ? "sqlite" : store,
			     parents * (CHILDREN + 1));
	double through = bench_store(url, parents), bare = through;
	if (strncmp(url, "sqlite:", 7) == 0) {
		(void)snprintf(path, sizeof(path), "%s/bare.db", folder);
		bare = bench_bare(path, parents);
		bench_import(parents);
	}
	if (json)
		(void)printf("\"share_of_bare_loop\":%.3f}\n", through / bare);
	else
		(void)printf("the store does %.0f %% of the bare loop\n", 100 * through / bare);
	remove_files();
	return 0;
}
