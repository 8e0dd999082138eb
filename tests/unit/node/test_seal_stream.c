/* SPDX-License-Identifier: AGPL-3.0-or-later */
/* Sealed streams: who opens them, and that nothing about them can be changed, moved or cut. */
#include "faults.h"

#include <sodium.h>
#include <sys/mman.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "node/keys/keys.h"
#include "node/keys/keys_int.h"

enum { N = 5 };
static struct custodian_public who[N];
static uint8_t sk[N][KEY_BYTES];

static int setup(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++) {
		(void)snprintf(who[i].account, sizeof(who[i].account), "c%d", i);
		if (keys_start() != 0 || crypto_box_keypair(who[i].pk, sk[i]) != 0)
			return -1;
	}
	return 0;
}

static int memory_file(void)
{
	int fd = memfd_create("sealed", MFD_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static uint8_t byte_at(size_t i)
{
	return (uint8_t)(i * 2654435761u >> 13);
}

/* Seals ${n} bytes for the first ${custodians} of the list; the descriptor stands at its beginning. */
static int sealed(size_t n, size_t custodians, unsigned quorum)
{
	struct seal_writer *w;
	uint8_t *plain = malloc(n + 1);
	int fd = memory_file();
	assert_non_null(plain);
	for (size_t i = 0; i < n; i++)
		plain[i] = byte_at(i);
	assert_int_equal(seal_writer_new(fd, who, custodians, quorum, "strategic", &w, NULL), 0);
	for (size_t at = 0, part = 1; at < n; at += part, part = part * 7 % 40009 + 1) {
		if (part > n - at)
			part = n - at;
		assert_int_equal(seal_writer_put(w, plain + at, part, NULL), 0);
	}
	assert_int_equal(seal_writer_end(w, NULL), 0);
	assert_true(seal_writer_put(w, "x", 1, NULL) < 0);
	assert_true(seal_writer_end(w, NULL) < 0);
	seal_writer_free(w);
	free(plain);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

/* Reads to the end: 0 and the number of bytes, each of them right, or the error. */
static int opened(int fd, const uint8_t (*sks)[KEY_BYTES], size_t nsks, size_t *ret_n)
{
	struct seal_reader *r;
	uint8_t part[9973];
	size_t at = 0, n;
	*ret_n = 0;
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	int err = seal_reader_new(fd, sks, nsks, &r, NULL);
	if (err < 0)
		return err;
	assert_string_equal(seal_reader_label(r), "strategic");
	while ((err = seal_reader_get(r, part, sizeof(part), &n, NULL)) == 0 && n > 0)
		for (size_t i = 0; i < n; i++, at++)
			assert_int_equal(part[i], byte_at(at));
	if (err < 0)
		assert_int_equal(seal_reader_get(r, part, sizeof(part), &n, NULL), err); /* it sticks */
	seal_reader_free(r);
	*ret_n = at;
	return err;
}

static void test_sizes_around_the_chunk(void **state)
{
	(void)state;
	static const size_t sizes[] = { 0,	    1,		    SEAL_CHUNK - 1, SEAL_CHUNK,
					SEAL_CHUNK + 1, 3 * SEAL_CHUNK, 3 * SEAL_CHUNK + 17 };
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = 1;
		int fd = sealed(sizes[i], 1, 1);
		assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n), 0);
		assert_int_equal(n, sizes[i]);
		(void)close(fd);
	}
}

static void test_one_of_several_opens(void **state)
{
	(void)state;
	size_t n;
	int fd = sealed(1000, 4, 1);
	for (int i = 0; i < N; i++)
		assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES]) & sk[i], 1, &n), i < 4 ? 0 : FW_EDENIED);
	assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 0, &n), FW_EDENIED);
	(void)close(fd);
}

static void test_two_open_together_and_none_alone(void **state)
{
	(void)state;
	size_t n;
	int fd = sealed(100000, 4, 2);
	for (int i = 0; i < N; i++) {
		assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES]) & sk[i], 1, &n), FW_EDENIED);
		for (int j = 0; j < N; j++) {
			uint8_t two[2][KEY_BYTES];
			memcpy(two[0], sk[i], KEY_BYTES);
			memcpy(two[1], sk[j], KEY_BYTES);
			int want = i != j && i < 4 && j < 4 ? 0 : FW_EDENIED;
			assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])two, 2, &n), want);
		}
	}
	assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, N, &n), 0);
	(void)close(fd);
}

/* What one custodian holds with quorum 2 must not be the key, nor equal from pair to pair. */
static void test_a_share_tells_nothing(void **state)
{
	(void)state;
	int fd = sealed(10, 3, 2);
	uint8_t head[SEAL_PREFIX + SEAL_HEAD_MAX], share[6][KEY_BYTES], key[KEY_BYTES], plain[SEAL_CHUNK];
	ssize_t got = read(fd, head, sizeof(head));
	struct seal_head h;
	size_t len = (size_t)head[8] | (size_t)head[9] << 8;
	assert_true(got > 0 && len + SEAL_PREFIX < (size_t)got);
	assert_int_equal(seal_head_parse(head + SEAL_PREFIX, len, &h, NULL), 0);
	static const int owner[6] = { 0, 1, 0, 2, 1, 2 };
	for (int i = 0; i < 6; i++)
		assert_int_equal(crypto_box_seal_open(share[i], h.wrapped + i * SEAL_WRAPPED, SEAL_WRAPPED,
						      who[owner[i]].pk, sk[owner[i]]), 0);
	uint8_t bind[32];
	const uint8_t *chunk = head + SEAL_PREFIX + len;
	size_t nchunk = (size_t)got - SEAL_PREFIX - len;
	(void)crypto_generichash(bind, 32, head, SEAL_PREFIX + len, NULL, 0);
	for (int i = 0; i < 6; i += 2) {
		crypto_secretstream_xchacha20poly1305_state st;
		unsigned long long n;
		uint8_t tag;
		for (int k = 0; k < KEY_BYTES; k++)
			key[k] = share[i][k] ^ share[i + 1][k];
		assert_int_equal(crypto_secretstream_xchacha20poly1305_init_pull(&st, h.stream_header, key), 0);
		assert_int_equal(crypto_secretstream_xchacha20poly1305_pull(&st, plain, &n, &tag, chunk, nchunk, bind,
									    32), 0);
		for (int j = 0; j < 6; j++) {
			assert_memory_not_equal(share[j], key, KEY_BYTES);
			if (j != i)
				assert_memory_not_equal(share[j], share[i], KEY_BYTES);
		}
	}
	(void)close(fd);
}

static void test_sealing_refuses(void **state)
{
	(void)state;
	struct seal_writer *w;
	struct custodian_public twice[2] = { who[0], who[0] };
	int fd = memory_file();
	char label[SEAL_LABEL_MAX + 2];
	memset(label, 'x', sizeof(label));
	label[SEAL_LABEL_MAX + 1] = '\0';
	assert_int_equal(seal_writer_new(fd, who, 0, 1, "x", &w, NULL), FW_EINVALID);
	assert_int_equal(seal_writer_new(fd, who, 1, 2, "x", &w, NULL), FW_EINVALID);
	assert_int_equal(seal_writer_new(fd, who, 3, 3, "x", &w, NULL), FW_EINVALID);
	assert_int_equal(seal_writer_new(fd, who, 3, 0, "x", &w, NULL), FW_EINVALID);
	assert_int_equal(seal_writer_new(fd, who, 3, 1, label, &w, NULL), FW_EINVALID);
	assert_int_equal(seal_writer_new(fd, twice, 2, 2, "x", &w, NULL), FW_EINVALID);
	memset(twice[1].pk, 0, KEY_BYTES); /* a public key of small order */
	assert_int_equal(seal_writer_new(fd, twice, 2, 2, "x", &w, NULL), FW_ECRYPTO);
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	(void)close(fd);
}

static void flip(int fd, off_t at, uint8_t mask)
{
	uint8_t b;
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= mask;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
}

static void test_any_bit_flipped(void **state)
{
	(void)state;
	size_t n;
	for (unsigned quorum = 1; quorum <= 2; quorum++) {
		int fd = sealed(SEAL_CHUNK + 500, 3, quorum);
		off_t size = lseek(fd, 0, SEEK_END), head = size - (SEAL_CHUNK_SEALED + 500 + 17);
		/* All of the head, the edges of the chunks, and a sample within them. */
		for (off_t at = 0; at < size; at += at < head || at > size - 600 || at % 5003 < 3 ? 1 : 1709) {
			uint8_t mask = (uint8_t)(1u << (at % 8));
			flip(fd, at, mask);
			assert_true(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 2, &n) < 0);
			flip(fd, at, mask);
		}
		assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 2, &n), 0);
		(void)close(fd);
	}
}

static void test_cut_anywhere_and_at_every_chunk(void **state)
{
	(void)state;
	size_t n, plain = 4 * SEAL_CHUNK + 1000;
	int fd = sealed(plain, 1, 1);
	off_t size = lseek(fd, 0, SEEK_END), head = size - (4 * SEAL_CHUNK_SEALED + 1017);
	for (int chunk = 4; chunk >= 0; chunk--) {
		off_t at = head + chunk * SEAL_CHUNK_SEALED;
		static const int beside[] = { 17, 16, 1, 0 };
		for (size_t i = 0; i < 4; i++) {
			assert_int_equal(ftruncate(fd, at + beside[i]), 0);
			int err = opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n);
			assert_int_equal(err, beside[i] < 17 ? FW_ETRUNC : FW_ECRYPTO);
			assert_int_equal(n, (size_t)chunk * SEAL_CHUNK);
		}
	}
	for (off_t at = head - 1; at >= 0; at--) {
		assert_int_equal(ftruncate(fd, at), 0);
		int err = opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n);
		assert_int_equal(err, at >= SEAL_PREFIX ? FW_ETRUNC : FW_EFORMAT);
	}
	(void)close(fd);
}

static void test_something_after_the_end(void **state)
{
	(void)state;
	size_t n;
	static const size_t sizes[] = { 5, SEAL_CHUNK };
	for (size_t i = 0; i < 2; i++) {
		int fd = sealed(sizes[i], 1, 1);
		off_t size = lseek(fd, 0, SEEK_END);
		assert_int_equal(pwrite(fd, "x", 1, size), 1);
		assert_true(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n) < 0);
		(void)close(fd);
	}
}

static void test_chunks_moved_doubled_left_out_or_of_another_file(void **state)
{
	(void)state;
	size_t n;
	int fd = sealed(3 * SEAL_CHUNK + 100, 1, 1), other = sealed(3 * SEAL_CHUNK + 100, 1, 1);
	off_t size = lseek(fd, 0, SEEK_END), head = size - (3 * SEAL_CHUNK_SEALED + 117);
	static uint8_t c[3][SEAL_CHUNK_SEALED];
	for (int i = 0; i < 3; i++)
		assert_int_equal(pread(fd, c[i], SEAL_CHUNK_SEALED, head + i * SEAL_CHUNK_SEALED), SEAL_CHUNK_SEALED);
	static const int order[][3] = { { 1, 0, 2 }, { 0, 2, 1 }, { 0, 0, 2 }, { 0, 1, 1 }, { 2, 1, 0 } };
	for (size_t o = 0; o < sizeof(order) / sizeof(order[0]); o++) {
		for (int i = 0; i < 3; i++)
			assert_int_equal(pwrite(fd, c[order[o][i]], SEAL_CHUNK_SEALED, head + i * SEAL_CHUNK_SEALED),
					 SEAL_CHUNK_SEALED);
		assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n), FW_ECRYPTO);
	}
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 3; j++)
			assert_int_equal(pwrite(fd, c[j], SEAL_CHUNK_SEALED, head + j * SEAL_CHUNK_SEALED),
					 SEAL_CHUNK_SEALED);
		assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n), 0);
		static uint8_t theirs[SEAL_CHUNK_SEALED];
		assert_int_equal(pread(other, theirs, SEAL_CHUNK_SEALED, head + i * SEAL_CHUNK_SEALED),
				 SEAL_CHUNK_SEALED);
		assert_int_equal(pwrite(fd, theirs, SEAL_CHUNK_SEALED, head + i * SEAL_CHUNK_SEALED),
				 SEAL_CHUNK_SEALED);
		assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n), FW_ECRYPTO);
	}
	/* The second left out: everything after it moves forward. */
	for (int j = 0; j < 3; j++)
		assert_int_equal(pwrite(fd, c[j == 0 ? 0 : 2], SEAL_CHUNK_SEALED, head + j * SEAL_CHUNK_SEALED),
				 SEAL_CHUNK_SEALED);
	assert_int_equal(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 1, &n), FW_ECRYPTO);
	(void)close(fd);
	(void)close(other);
}

static int write_all(int fd)
{
	struct seal_writer *w;
	int err = seal_writer_new(fd, who, 3, 2, "strategic", &w, NULL);
	if (err < 0)
		return err;
	for (size_t i = 0; err == 0 && i < 3 * SEAL_CHUNK + 5; i++) {
		uint8_t b = byte_at(i);
		err = seal_writer_put(w, &b, 1, NULL);
	}
	if (err == 0)
		err = seal_writer_end(w, NULL);
	else
		assert_int_equal(seal_writer_end(w, NULL), err); /* it sticks: no end after a lost chunk */
	seal_writer_free(w);
	return err;
}

static void test_faults(void **state)
{
	(void)state;
	size_t n, count;
	for (count = 1;; count++) {
		int fd = memory_file();
		io_fault_at((unsigned)count);
		int err = write_all(fd);
		bool hit = io_fault_hit();
		io_fault_at(0);
		if (!hit)
			assert_int_equal(err, 0);
		else
			assert_true(err == -ENOSPC || err == -EIO);
		if (err == -ENOSPC) /* an unsynced end may be whole; a lost write may not */
			assert_true(opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 2, &n) < 0);
		(void)close(fd);
		if (!hit)
			break;
	}
	assert_int_equal(count, 7); /* head, four chunks, sync */
	for (int kind = 0; kind < 2; kind++) {
		for (count = 1;; count++) {
			int fd = memory_file();
			if (kind == 0)
				mem_fault_at(count);
			else
				sodium_fault_at((unsigned)count);
			int err = write_all(fd);
			bool hit = kind == 0 ? mem_fault_hit() : sodium_fault_hit();
			mem_fault_at(0);
			sodium_fault_at(0);
			assert_int_equal(err, hit ? -ENOMEM : 0);
			(void)close(fd);
			if (!hit)
				break;
		}
		int fd = sealed(1000, 3, 2);
		for (count = 1;; count++) {
			if (kind == 0)
				mem_fault_at(count);
			else
				sodium_fault_at((unsigned)count);
			int err = opened(fd, (const uint8_t(*)[KEY_BYTES])sk, 2, &n);
			bool hit = kind == 0 ? mem_fault_hit() : sodium_fault_hit();
			mem_fault_at(0);
			sodium_fault_at(0);
			assert_int_equal(err, hit ? -ENOMEM : 0);
			if (!hit)
				break;
		}
		(void)close(fd);
	}
}

static __attribute__((noinline)) void seal_a_secret(uint8_t masked[32])
{
	uint8_t *secret = sodium_malloc(32), got[1];
	struct seal_writer *w;
	struct seal_reader *r;
	size_t n;
	int fd = memory_file();
	randombytes_buf(secret, 32);
	mask_secret(secret, 32, masked);
	assert_int_equal(seal_writer_new(fd, who, 2, 2, "strategic", &w, NULL), 0);
	assert_int_equal(seal_writer_put(w, secret, 32, NULL), 0);
	assert_int_equal(seal_writer_end(w, NULL), 0);
	sodium_free(secret);
	assert_int_not_equal(memory_holds(masked, 32), 0); /* the writer has it still */
	seal_writer_free(w);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(seal_reader_new(fd, (const uint8_t(*)[KEY_BYTES])sk, 2, &r, NULL), 0);
	assert_int_equal(seal_reader_get(r, got, 1, &n, NULL), 0);
	seal_reader_free(r);
	(void)close(fd);
}

static void test_no_plain_text_stays(void **state)
{
	(void)state;
	uint8_t masked[32];
	seal_a_secret(masked);
	int left = memory_holds(masked, 32);
	if (left < 0)
		SKIP_TEST("memory is not searched under AddressSanitizer");
	assert_int_equal(left, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes_around_the_chunk),
		cmocka_unit_test(test_one_of_several_opens),
		cmocka_unit_test(test_two_open_together_and_none_alone),
		cmocka_unit_test(test_a_share_tells_nothing),
		cmocka_unit_test(test_sealing_refuses),
		cmocka_unit_test(test_any_bit_flipped),
		cmocka_unit_test(test_cut_anywhere_and_at_every_chunk),
		cmocka_unit_test(test_something_after_the_end),
		cmocka_unit_test(test_chunks_moved_doubled_left_out_or_of_another_file),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_no_plain_text_stays),
	};
	return cmocka_run_group_tests(tests, setup, NULL);
}
