/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * What a ledger costs.
 *
 *     bench_ledger [--json] [--entries N] [--store URL] [--folder DIR]
 *
 * Grows a ledger to N entries (1,000,000 unless told) in transactions of
 * 500, giving positions every 2,000, and tells at each power of ten: time an entry
 * for appending and for its position, for a consistency and an inclusion
 * proof, and bytes an entry.  At the end it verifies everything.  Then the
 * price beside the write that an entry records: one small write with and
 * without its entry, each in a synced transaction of its own, and the same in
 * groups of fifty, as a busy worker commits them.
 *
 * The small write is three rows of the outbox, some 400 bytes each with two
 * indexes: less than an incident report with its children.
 */
#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "gen/sql.h"
#include "node/ledger/ledger.h"
#include "store/store.h"

enum { GROUP = 500, SEQUENCE_EVERY = 2000 };

struct bench {
	struct store *s;
	struct ledger_writer *w;
	bool json;
	char url[400];
	const char *file; /* of SQLite, for its size; NULL otherwise */
};

static void die(const char *what, int err, const struct diag *d)
{
	(void)fprintf(stderr, "bench_ledger: %s: %s %s\n", what, err_name(err), d->text);
	exit(1);
}

struct appending {
	struct ledger_writer *w;
	unsigned n;
};

/* An entry as most are: who, in which session, through which route, three records seen. */
static int append_tx(struct store *s, void *arg, struct diag *reterr)
{
	static const struct uuid who = { { 1, 2, 3 } }, session = { { 4, 5, 6 } };
	const struct appending *a = arg;
	struct uuid subject[3];
	ledger_writer_rollback(a->w);
	for (unsigned i = 0; i < a->n; i++) {
		for (int k = 0; k < 3; k++)
			subject[k] = (struct uuid){ { (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)k } };
		struct ledger_note note = { .event = 82, .account = who, .session = session,
					    .purpose = "statistics", .route = "see_incident",
					    .subjects = subject, .nsubjects = 3 };
		int err = ledger_append(s, a->w, &note, NULL, reterr);
		if (err < 0)
			return err;
	}
	return 0;
}

static double append(struct bench *b, unsigned n)
{
	struct appending a = { b->w, n };
	struct diag d = DIAG_INIT;
	usec_t from = time_mono();
	int err = store_tx(b->s, STORE_WRITE, append_tx, &a, &d);
	if (err != 0)
		die("append", err, &d);
	ledger_writer_commit(b->w);
	return (double)(time_mono() - from);
}

static double sequence(struct bench *b)
{
	struct diag d = DIAG_INIT;
	size_t n = 0;
	usec_t from = time_mono();
	int err = ledger_sequence(b->s, SEQUENCE_EVERY, &n, &d);
	if (err != 0)
		die("sequence", err, &d);
	return (double)(time_mono() - from);
}

static double bytes(const struct bench *b)
{
	struct stat st;
	return b->file != NULL && stat(b->file, &st) == 0 ? (double)st.st_size : 0;
}

/* Mean of 50 proofs, microseconds. */
static void proofs(struct bench *b, uint64_t size, double *consistency, double *inclusion)
{
	struct diag d = DIAG_INIT;
	struct ledger_head head;
	struct buf out;
	buf_init(&out, 4096);
	usec_t from = time_mono();
	for (uint64_t i = 0; i < 50; i++) {
		buf_clear(&out);
		if (ledger_prove_consistency(b->s, size * i / 50, &head, &out, &d) < 0)
			die("proof", d.code, &d);
	}
	*consistency = (double)(time_mono() - from) / 50;
	from = time_mono();
	for (uint64_t i = 0; i < 50; i++) {
		buf_clear(&out);
		if (ledger_prove_inclusion(b->s, size * i / 50, size, &out, &d) < 0)
			die("proof", d.code, &d);
	}
	*inclusion = (double)(time_mono() - from) / 50;
	buf_release(&out);
}

static void grow(struct bench *b, uint64_t want)
{
	uint64_t next = 1000, at = 0;
	double add = 0, order = 0;
	uint64_t since = 0;
	if (b->json)
		(void)printf("\"growth\":[");
	while (at < want) {
		add += append(b, GROUP);
		at += GROUP;
		since += GROUP;
		if (at % SEQUENCE_EVERY == 0 || at >= want)
			order += sequence(b);
		if (at < next && at < want)
			continue;
		double c, i;
		(void)sequence(b);
		proofs(b, at, &c, &i);
		(void)store_maintain(b->s, NULL);
		if (b->json)
			(void)printf("%s{\"entries\":%" PRIu64 ",\"append_us\":%.2f,\"position_us\":%.2f,"
				     "\"consistency_proof_us\":%.0f,\"inclusion_proof_us\":%.0f,\"bytes_per_entry\":%.0f}",
				     next > 1000 ? "," : "", at, add / (double)since, order / (double)since, c, i,
				     bytes(b) / (double)at);
		else
			(void)printf("%9" PRIu64 " entries: append %5.2f us, position %5.2f us an entry; consistency proof "
				     "%4.0f us, inclusion %4.0f us; %.0f bytes an entry\n", at, add / (double)since,
				     order / (double)since, c, i, bytes(b) / (double)at);
		next *= 10;
		add = order = 0;
		since = 0;
	}
	if (b->json)
		(void)printf("],");
}

static void verify(struct bench *b)
{
	static const uint8_t pk[32];
	struct ledger_report r;
	struct diag d = DIAG_INIT;
	usec_t from = time_mono();
	int err = ledger_verify(b->s, "bench.example/l", pk, NULL, NULL, NULL, &r, &d);
	double t = (double)(time_mono() - from);
	if (err != 0 || r.verdict != 0)
		die(r.words, err != 0 ? err : r.verdict, &d);
	if (b->json)
		(void)printf("\"verify_entries_per_second\":%.0f,", (double)r.entries * 1e6 / t);
	else
		(void)printf("verified %" PRIu64 " entries in %.2f s: %.0f a second\n", r.entries, t / 1e6,
			     (double)r.entries * 1e6 / t);
}

/* ---- beside the write it records ---- */

struct recorded {
	struct ledger_writer *w; /* NULL: without an entry */
	unsigned n;
	int rows; /* of each */
};

static int outbox_row(struct store *s, const struct uuid *subject, struct diag *reterr)
{
	static uint8_t body[300];
	struct uuid key = uuid_new();
	struct store_value v[] = { sv_uuid(&key), sv_int(2), sv_text("referral"), sv_uuid(subject),
				   sv_bytes(body, sizeof(body)), sv_int(time_now()) };
	return store_exec(s, SQL_OUTBOX_PUT, v, sizeof(v) / sizeof(v[0]), NULL, reterr);
}

static int recorded_tx(struct store *s, void *arg, struct diag *reterr)
{
	const struct recorded *r = arg;
	int err = 0;
	if (r->w != NULL)
		ledger_writer_rollback(r->w);
	for (unsigned i = 0; err == 0 && i < r->n; i++) {
		struct uuid subject = uuid_new();
		for (int k = 0; err == 0 && k < r->rows; k++)
			err = outbox_row(s, &subject, reterr);
		struct ledger_note note = { .event = 82, .account = subject, .session = subject, .route = "hand_over",
					    .subjects = &subject, .nsubjects = 1 };
		if (err == 0 && r->w != NULL)
			err = ledger_append(s, r->w, &note, NULL, reterr);
	}
	return err;
}

static double write_us(struct bench *b, bool with, unsigned group, int rows, unsigned writes)
{
	struct recorded r = { with ? b->w : NULL, group, rows };
	struct diag d = DIAG_INIT;
	usec_t from = time_mono();
	for (unsigned i = 0; i < writes; i += group) {
		int err = store_tx(b->s, STORE_WRITE, recorded_tx, &r, &d);
		if (err != 0)
			die("write", err, &d);
		if (with)
			ledger_writer_commit(b->w);
	}
	double t = (double)(time_mono() - from) / writes;
	if (with)
		(void)sequence(b);
	return t;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Medians over turns taken one after the other, so that a busy machine disturbs both alike. */
static void beside(struct bench *b, unsigned group, int rows, unsigned writes, bool last)
{
	enum { TURNS = 15 };
	double without[TURNS], with[TURNS];
	for (int i = 0; i < TURNS; i++) {
		without[i] = write_us(b, false, group, rows, writes);
		with[i] = write_us(b, true, group, rows, writes);
	}
	qsort(without, TURNS, sizeof(double), by_value);
	qsort(with, TURNS, sizeof(double), by_value);
	double a = without[TURNS / 2], c = with[TURNS / 2];
	if (b->json)
		(void)printf("\"write_%d_rows_group_%u\":{\"without_us\":%.1f,\"with_us\":%.1f,\"share\":%.3f}%s", rows, group, a, c,
			     (c - a) / a, last ? "" : ",");
	else
		(void)printf("a write of %d rows, %u in a transaction: %.1f us without its entry, %.1f us with it: %+.1f %%\n",
			     rows, group, a, c, (c - a) / a * 100);
}

int main(int argc, char **argv)
{
	struct bench b = { 0 };
	uint64_t entries = 1000000;
	const char *store = NULL, *top = "/tmp";
	char folder[200], path[300];
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			b.json = true;
		else if (strcmp(argv[i], "--entries") == 0 && i + 1 < argc)
			entries = strtoull(argv[++i], NULL, 10);
		else if (strcmp(argv[i], "--store") == 0 && i + 1 < argc)
			store = argv[++i];
		else if (strcmp(argv[i], "--folder") == 0 && i + 1 < argc)
			top = argv[++i];
		else
			return 2;
	}
	(void)snprintf(folder, sizeof(folder), "%s/bench-ledger-XXXXXX", top);
	if (sodium_init() < 0 || mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/l.db", folder);
	if (store != NULL)
		(void)snprintf(b.url, sizeof(b.url), "%s", store);
	else
		(void)snprintf(b.url, sizeof(b.url), "sqlite:%s", path);
	b.file = store == NULL ? path : NULL;
	struct store_options o = { .url = b.url, .role = STORE_ROLE_OPERATIONAL, .vault = "operational", .create = true,
				   .migrate = true };
	struct diag d = DIAG_INIT;
	int err = store_open(&o, &b.s, &d);
	if (err != 0 || ledger_writer_new(&b.w) < 0)
		die("open", err, &d);
	if (b.json)
		(void)printf("{\"bench\":\"ledger\",\"engine\":\"%s\",",
			     store_engine(b.s) == STORE_SQLITE ? "sqlite" : "postgresql");
	grow(&b, entries);
	verify(&b);
	beside(&b, 1, 3, 60, false);
	beside(&b, 50, 3, 5000, false);
	beside(&b, 1, 14, 60, false); /* as many rows as a report with all blocks */
	beside(&b, 50, 14, 5000, true);
	if (b.json)
		(void)printf("}\n");
	ledger_writer_free(b.w);
	store_close(b.s);
	(void)snprintf(path, sizeof(path), "%s/l.db-wal", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/l.db-shm", folder);
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/l.db", folder);
	(void)unlink(path);
	(void)rmdir(folder);
	return 0;
}
