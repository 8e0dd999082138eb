/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Archives of backups and the journal of erasures: whole or refused. */
#include "faults.h"
#include "power.h"

#include <sodium.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "node/backup/archive.h"
#include "node/backup/erasures.h"
#include "node/keys/keys.h"

static struct custodian_public who[3];
static uint8_t sk[3][KEY_BYTES], pk[32], other_pk[32];
static struct node_keys *keys;
static char folder[] = "/tmp/fairway-archive-XXXXXX", journal[100];

static int setup(void **state)
{
	(void)state;
	char path[100];
	if (keys_start() < 0 || mkdtemp(folder) == NULL)
		return -1;
	(void)snprintf(path, sizeof(path), "%s/node.key", folder);
	(void)snprintf(journal, sizeof(journal), "%s/j/erasures.log", folder);
	for (int i = 0; i < 3; i++)
		(void)crypto_box_keypair(who[i].pk, sk[i]);
	if (node_keys_create(path, NULL) < 0 || node_keys_load(path, &keys, NULL) < 0)
		return -1;
	node_keys_public(keys, pk);
	memset(other_pk, 7, 32);
	(void)snprintf(path, sizeof(path), "%s/j", folder);
	return io_mkdir(path, 0700);
}

static int teardown(void **state)
{
	(void)state;
	char cmd[100];
	node_keys_free(keys);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	return system(cmd);
}

static uint8_t byte_at(size_t file, size_t i)
{
	return (uint8_t)((i * 2654435761u >> (10 + file)) ^ (i >> 12));
}

static const size_t sizes[] = { 0, 1, 65535, 65536, 65537, 500000 };
enum { NFILES = sizeof(sizes) / sizeof(sizes[0]) };

static int write_archive(int fd)
{
	struct archive_writer *w;
	struct diag d = DIAG_INIT;
	int err = archive_writer_new(fd, who, 2, 2, "label", &w, &d);
	if (err < 0)
		return err;
	for (size_t f = 0; err == 0 && f < NFILES; f++) {
		char name[20];
		uint8_t part[7000];
		(void)snprintf(name, sizeof(name), "spool/f%zu.x", f);
		err = archive_begin(w, name, &d);
		for (size_t at = 0; err == 0 && at < sizes[f];) {
			size_t n = sizes[f] - at < sizeof(part) ? sizes[f] - at : sizeof(part);
			for (size_t i = 0; i < n; i++)
				part[i] = byte_at(f, at + i);
			err = archive_put(w, part, n, &d);
			at += n;
		}
	}
	if (err == 0)
		err = archive_end(w, keys, &d);
	else
		assert_int_equal(archive_end(w, keys, NULL), err);
	archive_writer_free(w);
	return err;
}

/* All files read and compared: 0, or the error. */
static int read_archive(int fd, size_t nkeys)
{
	struct archive_reader *r;
	const char *name;
	int got;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	int err = archive_reader_new(fd, (const uint8_t(*)[KEY_BYTES])sk, nkeys, &r, NULL);
	if (err < 0)
		return err;
	assert_string_equal(archive_label(r), "label");
	size_t f = 0;
	for (; (got = archive_next(r, &name, NULL)) == 1; f++) {
		uint8_t part[5003];
		size_t at = 0, n;
		assert_true(f < NFILES);
		assert_int_equal(name[7], '0' + (char)f);
		/* The second is skipped in the middle. */
		while ((err = archive_get(r, part, sizeof(part), &n, NULL)) == 0 && n > 0) {
			for (size_t i = 0; i < n; i++)
				assert_int_equal(part[i], byte_at(f, at + i));
			at += n;
			if (f == 3)
				break;
		}
		if (err < 0)
			break;
		if (f != 3)
			assert_int_equal(at, sizes[f]);
	}
	if (err == 0 && got < 0)
		err = got;
	if (err == 0) {
		assert_int_equal(f, NFILES);
		assert_int_equal(archive_next(r, &name, NULL), 0);
		assert_int_equal(archive_signed_by(r, pk, NULL), 0);
		assert_int_equal(archive_signed_by(r, other_pk, NULL), FW_ECRYPTO);
	} else {
		assert_int_equal(archive_signed_by(r, pk, NULL), FW_ECRYPTO);
	}
	archive_reader_free(r);
	return err;
}

static int memory_file(void)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void test_round_trip(void **state)
{
	(void)state;
	int fd = memory_file();
	assert_int_equal(write_archive(fd), 0);
	assert_int_equal(read_archive(fd, 2), 0);
	assert_int_equal(read_archive(fd, 1), FW_EDENIED);
	assert_int_equal(read_archive(fd, 0), FW_EDENIED);
	(void)close(fd);
}

static void test_cut_and_changed(void **state)
{
	(void)state;
	int fd = memory_file();
	assert_int_equal(write_archive(fd), 0);
	off_t size = lseek(fd, 0, SEEK_END);
	for (off_t at = 0; at < size; at += at < 1200 || at > size - 300 ? 1 : 4999) {
		uint8_t b, bad;
		assert_int_equal(pread(fd, &b, 1, at), 1);
		bad = b ^ 0x20;
		assert_int_equal(pwrite(fd, &bad, 1, at), 1);
		assert_true(read_archive(fd, 2) < 0);
		assert_int_equal(pwrite(fd, &b, 1, at), 1);
	}
	assert_int_equal(read_archive(fd, 2), 0);
	for (off_t at = size - 1; at > 0; at = at > size - 200 ? at - 1 : at - 5003) {
		assert_int_equal(ftruncate(fd, at), 0);
		assert_true(read_archive(fd, 2) < 0);
	}
	(void)close(fd);
}

static void test_faults(void **state)
{
	(void)state;
	unsigned n;
	for (n = 1;; n++) {
		int fd = memory_file();
		io_fault_at(n);
		int err = write_archive(fd);
		bool hit = io_fault_hit();
		io_fault_at(0);
		assert_int_equal(err < 0, hit);
		if (err == -ENOSPC)
			assert_true(read_archive(fd, 2) < 0);
		(void)close(fd);
		if (!hit)
			break;
	}
	assert_true(n > 4);
	for (uint64_t m = 1;; m++) {
		int fd = memory_file();
		mem_fault_at(m);
		int err = write_archive(fd);
		if (err == 0)
			err = read_archive(fd, 2);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(err, hit ? -ENOMEM : 0);
		(void)close(fd);
		if (!hit)
			break;
	}
}

/* Anybody can seal to a public key; only the node can sign. */
static void test_a_forged_archive(void **state)
{
	(void)state;
	struct node_keys *theirs;
	struct archive_writer *w;
	struct archive_reader *r;
	const char *name;
	char path[100];
	int fd = memory_file();
	(void)snprintf(path, sizeof(path), "%s/their.key", folder);
	assert_int_equal(node_keys_create(path, NULL), 0);
	assert_int_equal(node_keys_load(path, &theirs, NULL), 0);
	assert_int_equal(archive_writer_new(fd, who, 1, 1, "label", &w, NULL), 0);
	assert_int_equal(archive_begin(w, "strategic.db", NULL), 0);
	assert_int_equal(archive_put(w, "forged", 6, NULL), 0);
	assert_int_equal(archive_end(w, theirs, NULL), 0);
	archive_writer_free(w);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(archive_reader_new(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &r, NULL), 0);
	assert_int_equal(archive_next(r, &name, NULL), 1);
	assert_int_equal(archive_signed_by(r, pk, NULL), FW_ECRYPTO); /* not before the end */
	assert_int_equal(archive_next(r, &name, NULL), 0);
	assert_int_equal(archive_signed_by(r, pk, NULL), FW_ECRYPTO);
	archive_reader_free(r);
	node_keys_free(theirs);
	(void)close(fd);
}

static void test_names(void **state)
{
	(void)state;
	static const char *const good[] = { "a", "a/b/c.db", "spool/019-x_y.csv", "fairway.example+n+house.head", "A=1@b" };
	static const char *const bad[] = { "", "/a", "a/", "a//b", "../a", "a/../b", ".a", "a/.b", "a b", "a\nb", "a\\b",
					   "\xc3\xa9", "a:b", "a*", "~" };
	char longname[ARCHIVE_NAME_MAX + 2];
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(archive_name_fits(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(archive_name_fits(bad[i]));
	memset(longname, 'a', sizeof(longname));
	longname[ARCHIVE_NAME_MAX + 1] = '\0';
	assert_false(archive_name_fits(longname));
	longname[ARCHIVE_NAME_MAX] = '\0';
	assert_true(archive_name_fits(longname));
}

/* ---- erasures ---- */

static const uint8_t vault_key[32] = { 1, 2, 3 }, wrong_key[32] = { 4 };

struct seen {
	size_t n;
	struct erasure e[64];
};

static int see(void *arg, const struct erasure *e, struct diag *reterr)
{
	struct seen *s = arg;
	(void)reterr;
	assert_true(s->n < 64);
	s->e[s->n++] = *e;
	return 0;
}

static int walk(const uint8_t key[32], struct seen *s)
{
	struct buf b;
	size_t n;
	buf_init(&b, ERASURES_MAX);
	int err = io_read_file(journal, &b, NULL);
	if (err == -ENOENT)
		err = 0;
	s->n = 0;
	if (err == 0)
		err = erasures_walk(b.data != NULL ? b.data : (const uint8_t *)"", b.len, key, see, s, &n, NULL);
	buf_release(&b);
	return err;
}

static struct erasure erasure(uint8_t i)
{
	struct erasure e = { .at = 1000000 * (usec_t)i, .kind = "report.incident", .id = { { { i } }, { { i, 1 } } } };
	return e;
}

static void test_erasures_round_trip(void **state)
{
	(void)state;
	struct seen s;
	(void)unlink(journal);
	for (uint8_t i = 1; i <= 20; i++) {
		struct erasure e = erasure(i);
		assert_int_equal(erasures_append(journal, vault_key, &e, NULL), 0);
	}
	assert_int_equal(walk(vault_key, &s), 0);
	assert_int_equal(s.n, 20);
	for (uint8_t i = 1; i <= 20; i++) {
		struct erasure e = erasure(i);
		assert_string_equal(s.e[i - 1].kind, e.kind);
		assert_true(s.e[i - 1].at == e.at && uuid_equal(&s.e[i - 1].id[0], &e.id[0]) &&
			    uuid_equal(&s.e[i - 1].id[1], &e.id[1]));
	}
	assert_int_equal(walk(wrong_key, &s), FW_ETAMPERED);
	struct erasure bad = erasure(1);
	static const char *const kinds[] = { "", "A", "a b", "a\nb", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };
	for (size_t i = 0; i < 4; i++) {
		(void)snprintf(bad.kind, sizeof(bad.kind), "%s", kinds[i]);
		assert_int_equal(erasures_append(journal, vault_key, &bad, NULL), FW_EINVALID);
	}
}

static void test_erasures_changed(void **state)
{
	(void)state;
	struct buf b;
	struct seen s;
	size_t n;
	(void)unlink(journal);
	for (uint8_t i = 1; i <= 5; i++) {
		struct erasure e = erasure(i);
		assert_int_equal(erasures_append(journal, vault_key, &e, NULL), 0);
	}
	buf_init(&b, 10000);
	assert_int_equal(io_read_file(journal, &b, NULL), 0);
	size_t line = b.len / 5;
	for (size_t bit = 0; bit < b.len * 8; bit++) {
		b.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		s.n = 0;
		int err = erasures_walk(b.data, b.len, vault_key, see, &s, &n, NULL);
		/* A last newline gone makes a torn line, passed over. */
		assert_true(err == FW_ETAMPERED || (err == 0 && bit / 8 == b.len - 1 && s.n == 4));
		b.data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
	}
	/* A line left out, doubled, moved. */
	struct buf m;
	static const int orders[][5] = { { 0, 1, 3, 4, -1 }, { 0, 1, 1, 2, 3 }, { 0, 2, 1, 3, 4 }, { 1, 2, 3, 4, -1 } };
	for (size_t o = 0; o < 4; o++) {
		buf_init(&m, 10000);
		for (int i = 0; i < 5 && orders[o][i] >= 0; i++)
			buf_put(&m, b.data + (size_t)orders[o][i] * line, line);
		s.n = 0;
		assert_int_equal(erasures_walk(m.data, m.len, vault_key, see, &s, &n, NULL), FW_ETAMPERED);
		buf_release(&m);
	}
	buf_release(&b);
}

/* What was acknowledged is there after every power cut, and the journal can always be read and gone on with. */
static size_t erasing_life(uint64_t seed, bool honest)
{
	struct prop p = { seed };
	struct seen s;
	size_t lost = 0;
	bool acked[64] = { false };
	(void)unlink(journal);
	power_up(honest);
	power_cut_at(1 + (unsigned)prop_below(&p, 30));
	for (uint8_t i = 1; i < 40; i++) {
		struct erasure e = erasure(i);
		acked[i] = erasures_append(journal, vault_key, &e, NULL) == 0;
		if (!power_was_cut())
			continue;
		power_back(&p);
		if (walk(vault_key, &s) != 0) {
			assert_false(honest);
			lost++;
			break;
		}
		for (uint8_t k = 1; k <= i; k++) {
			bool found = false;
			for (size_t j = 0; j < s.n; j++)
				found = found || s.e[j].id[0].b[0] == k;
			lost += acked[k] && !found;
		}
		power_cut_at(1 + (unsigned)prop_below(&p, 30));
	}
	power_end();
	return lost;
}

static void test_erasures_survive_power_cuts(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= prop_rounds(300); seed++)
		if (erasing_life(seed, true) != 0)
			fail_msg("an acknowledged erasure was lost with seed %llu", (unsigned long long)seed);
	size_t lost = 0;
	for (uint64_t seed = 1; seed <= 50; seed++)
		lost += erasing_life(seed, false);
	assert_true(lost > 0); /* the control run, whose syncs lie */
}

static void test_erasures_faults(void **state)
{
	(void)state;
	struct seen s;
	for (unsigned n = 1;; n++) {
		(void)unlink(journal);
		struct erasure a = erasure(1), b = erasure(2), c = erasure(3);
		assert_int_equal(erasures_append(journal, vault_key, &a, NULL), 0);
		io_fault_at(n);
		int err = erasures_append(journal, vault_key, &b, NULL);
		bool hit = io_fault_hit();
		io_fault_at(0);
		assert_true(err == 0 || hit);
		assert_int_equal(erasures_append(journal, vault_key, &c, NULL), 0);
		assert_int_equal(walk(vault_key, &s), 0);
		assert_true(s.n >= 2 && s.e[s.n - 1].id[0].b[0] == 3);
		if (!hit)
			break;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_cut_and_changed),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_a_forged_archive),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_erasures_round_trip),
		cmocka_unit_test(test_erasures_changed),
		cmocka_unit_test(test_erasures_survive_power_cuts),
		cmocka_unit_test(test_erasures_faults),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
