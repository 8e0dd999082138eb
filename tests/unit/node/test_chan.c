/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/time.h"
#include "gen/tables.h"
#include "node/process/chan.h"

static void pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd), 0);
}

static size_t open_descriptors(void)
{
	size_t n = 0;
	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static void put_header(uint8_t h[CHAN_HEAD], uint32_t len, uint16_t type, uint16_t zero, uint64_t tag)
{
	for (int i = 0; i < 4; i++)
		h[i] = (uint8_t)(len >> (8 * i));
	for (int i = 0; i < 2; i++) {
		h[4 + i] = (uint8_t)(type >> (8 * i));
		h[6 + i] = (uint8_t)(zero >> (8 * i));
	}
	for (int i = 0; i < 8; i++)
		h[8 + i] = (uint8_t)(tag >> (8 * i));
}

/* A type that the front may say to strategic, and a payload it may have. */
static uint16_t any_message(struct prop *p, uint8_t *payload, size_t *ret_n)
{
	for (;;) {
		uint16_t type = (uint16_t)prop_below(p, MSG_COUNT);
		const struct message_row *row = &message_rows[type];
		if ((row->from & 1U << PROC_FRONT) == 0 || (row->to & 1U << PROC_STRATEGIC) == 0)
			continue;
		size_t most = row->max < 3000 ? row->max : 3000;
		*ret_n = row->min + prop_below(p, most - row->min + 1);
		prop_bytes(p, payload, *ret_n);
		return type;
	}
}

enum { MESSAGES = 12 };

/* What was sent is what comes, wherever the stream is cut. */
static void test_any_cut(void **state)
{
	(void)state;
	static uint8_t payload[MESSAGES][3000], stream[MESSAGES * 3100];
	for (unsigned round = 0; round < prop_rounds(200); round++) {
		struct prop p = { round };
		uint16_t type[MESSAGES];
		size_t n[MESSAGES], len = 0;
		int a[2], b[2];
		pair(a);
		pair(b);
		struct chan out, in;
		chan_init(&out, a[0], PROC_FRONT, PROC_STRATEGIC, false);
		chan_init(&in, b[1], PROC_STRATEGIC, PROC_FRONT, false);
		for (unsigned i = 0; i < MESSAGES; i++) {
			type[i] = any_message(&p, payload[i], &n[i]);
			assert_int_equal(chan_send(&out, type[i], i * 7, payload[i], n[i]), 0);
		}
		assert_int_equal(chan_flush(&out), 0);
		assert_int_equal(chan_waiting(&out), 0);
		chan_close(&out);
		for (ssize_t r; (r = read(a[1], stream + len, sizeof(stream) - len)) > 0;)
			len += (size_t)r;
		size_t at = 0, got = 0;
		while (at < len) {
			size_t piece = 1 + prop_below(&p, prop_below(&p, 2) ? 20 : 5000);
			piece = piece > len - at ? len - at : piece;
			assert_int_equal(write(b[0], stream + at, piece), (ssize_t)piece);
			at += piece;
			assert_int_equal(chan_fill(&in), 0);
			struct message m;
			int more;
			while ((more = chan_next(&in, &m)) == 1) {
				assert_true(got < MESSAGES);
				assert_int_equal(m.type, type[got]);
				assert_int_equal(m.tag, got * 7);
				assert_int_equal(m.fd, -1);
				assert_int_equal(cur_left(&m.body), n[got]);
				assert_memory_equal(cur_take(&m.body, n[got]), payload[got], n[got]);
				got++;
			}
			assert_int_equal(more, 0);
		}
		assert_int_equal(got, MESSAGES);
		chan_close(&in);
		(void)close(a[1]);
		(void)close(b[0]);
	}
}

/* What chan_next says to these bytes from ${from}. */
static int heard(enum proc from, enum proc to, const void *bytes, size_t n, const void *more, size_t nmore)
{
	int fd[2];
	pair(fd);
	int room = 4 << 20;
	(void)setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	struct chan in;
	chan_init(&in, fd[1], to, from, false);
	assert_int_equal(send(fd[0], bytes, n, 0), (ssize_t)n);
	size_t at = 0;
	struct message m = { .fd = -1 };
	assert_int_equal(chan_fill(&in), 0);
	int ret = chan_next(&in, &m);
	while (ret == 0 && at < nmore) { /* an honest header: give it its payload in pieces the socket takes */
		size_t piece = nmore - at > 100000 ? 100000 : nmore - at;
		assert_int_equal(send(fd[0], (const uint8_t *)more + at, piece, 0), (ssize_t)piece);
		at += piece;
		assert_int_equal(chan_fill(&in), 0);
		ret = chan_next(&in, &m);
	}
	chan_close(&in);
	(void)close(fd[0]);
	return ret;
}

static void test_broken_headers(void **state)
{
	(void)state;
	uint8_t h[CHAN_HEAD], body[64] = { 0 };
	struct {
		uint32_t len;
		uint16_t type, zero;
	} bad[] = {
		{ CHAN_HEAD - 5, MSG_CALL_END, 0 },
		{ 0, MSG_CALL_END, 0 },
		{ UINT32_MAX, MSG_CALL, 0 },
		{ CHAN_HEAD - 4 + CHAN_PAYLOAD_MAX + 1, MSG_CALL, 0 },
		{ CHAN_HEAD - 4, MSG_CALL_END, 1 },
		{ CHAN_HEAD - 4, MSG_CALL_END, 0x8000 },
		{ CHAN_HEAD - 4, MSG_COUNT, 0 },
		{ CHAN_HEAD - 4, UINT16_MAX, 0 },
		{ CHAN_HEAD - 4 + 1, MSG_CALL_END, 0 },
		{ CHAN_HEAD - 4 + 39, MSG_CALL, 0 },
		{ CHAN_HEAD - 4, MSG_REPLY, 0 },
		{ CHAN_HEAD - 4 + 32, MSG_TICKET_ASK, 0 },
		{ CHAN_HEAD - 4, MSG_KEY_ASK, 0 },
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		put_header(h, bad[i].len, bad[i].type, bad[i].zero, 1);
		assert_int_equal(heard(PROC_FRONT, PROC_STRATEGIC, h, sizeof(h), body, sizeof(body)), FW_EPROTO);
	}
	put_header(h, CHAN_HEAD - 4, MSG_CALL_END, 0, 1);
	assert_int_equal(heard(PROC_FRONT, PROC_STRATEGIC, h, sizeof(h), NULL, 0), 1);
	assert_int_equal(heard(PROC_FRONT, PROC_STRATEGIC, h, sizeof(h) - 1, NULL, 0), 0);
}

/* Every type, every pair of processes, every length around the table's: heard if and only if the table says so. */
static void test_table_is_law(void **state)
{
	(void)state;
	uint8_t h[CHAN_HEAD];
	uint8_t *body = calloc(1, CHAN_PAYLOAD_MAX + 1);
	assert_non_null(body);
	unsigned heard_ok = 0, refused = 0;
	for (uint16_t type = 0; type < MSG_COUNT; type++) {
		const struct message_row *row = &message_rows[type];
		size_t sizes[] = { row->min > 0 ? row->min - 1 : 0, row->min, row->max, (size_t)row->max + 1 };
		for (int from = 0; from < PROC_COUNT; from++)
			for (int to = 0; to < PROC_COUNT; to++)
				for (size_t i = 0; i < 4; i++) {
					size_t n = sizes[i];
					bool may = (row->from >> from & 1) && (row->to >> to & 1) && n >= row->min &&
						   n <= row->max && !row->descriptor;
					put_header(h, (uint32_t)(CHAN_HEAD - 4 + n), type, 0, 9);
					assert_int_equal(heard((enum proc)from, (enum proc)to, h, CHAN_HEAD, body,
							       may ? n : n < 1000 ? n : 0),
							 may ? 1 : FW_EPROTO);
					heard_ok += may;
					refused += !may;
				}
	}
	assert_true(heard_ok > 100 && refused > 5000);
	free(body);
}

static void send_wrong_type(void)
{
	struct chan c;
	int fd[2];
	pair(fd);
	chan_init(&c, fd[0], PROC_FRONT, PROC_HOUSE, false);
	(void)chan_send(&c, MSG_KEY_ASK, 1, NULL, 0);
}

static void send_wrong_length(void)
{
	struct chan c;
	int fd[2];
	pair(fd);
	chan_init(&c, fd[0], PROC_FRONT, PROC_HOUSE, false);
	(void)chan_send(&c, MSG_TICKET_ASK, 1, "short", 5);
}

static void send_fd_beside_control(void)
{
	struct chan c;
	int fd[2];
	uint8_t who = PROC_HOUSE;
	pair(fd);
	chan_init(&c, fd[0], PROC_SUPERVISOR, PROC_FRONT, false);
	(void)chan_send_fd(&c, MSG_PEER, 0, &who, 1, fd[1]);
}

/* A process that says what it may not has a bug and dies of it. */
static void test_sending_wrong_dies(void **state)
{
	(void)state;
	void (*wrong[])(void) = { send_wrong_type, send_wrong_length, send_fd_beside_control };
	for (size_t i = 0; i < 3; i++) {
		pid_t child = fork();
		if (child == 0) {
			struct rlimit none = { 0, 0 };
			(void)setrlimit(RLIMIT_CORE, &none);
			(void)close(2);
			(void)signal(SIGABRT, SIG_DFL);
			wrong[i]();
			_exit(0);
		}
		int status;
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

static void test_descriptors(void **state)
{
	(void)state;
	size_t before = open_descriptors();
	int fd[2], pipes[2][2];
	struct chan super, child;
	struct message m;
	uint8_t who[2] = { PROC_HOUSE, PROC_KEEPER };
	pair(fd);
	chan_init(&super, fd[0], PROC_SUPERVISOR, PROC_FRONT, true);
	chan_init(&child, fd[1], PROC_FRONT, PROC_SUPERVISOR, true);
	assert_int_equal(chan_send(&super, MSG_BOOT, 0, "x", 1), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pipe(pipes[i]), 0);
		assert_int_equal(chan_send_fd(&super, MSG_PEER, (uint64_t)i, &who[i], 1, pipes[i][1]), 0);
		(void)close(pipes[i][1]);
	}
	assert_int_equal(chan_send(&super, MSG_STOP, 0, NULL, 0), 0);
	assert_int_equal(chan_flush(&super), 0);
	unsigned seen = 0, peers = 0;
	for (int turn = 0; turn < 10; turn++) {
		assert_int_equal(chan_fill(&child), 0);
		while (chan_next(&child, &m) == 1) {
			static const uint16_t order[] = { MSG_BOOT, MSG_PEER, MSG_PEER, MSG_STOP };
			assert_int_equal(m.type, order[seen++]);
			if (m.type != MSG_PEER) {
				assert_int_equal(m.fd, -1);
				continue;
			}
			assert_int_equal(cur_u8(&m.body), who[peers]);
			/* The right one: its other end hears what is written into it. */
			char c = (char)('a' + peers);
			assert_int_equal(write(m.fd, &c, 1), 1);
			assert_true((fcntl(m.fd, F_GETFD) & FD_CLOEXEC) != 0);
			(void)close(m.fd);
			assert_int_equal(read(pipes[peers][0], &c, 1), 1);
			assert_int_equal(c, 'a' + (int)peers);
			(void)close(pipes[peers][0]);
			peers++;
		}
	}
	assert_int_equal(seen, 4);
	chan_close(&super);
	chan_close(&child);
	assert_int_equal(open_descriptors(), before);
}

/* Bytes with descriptors stuck to them, sent by hand. */
static void send_raw_fds(int fd, const void *bytes, size_t n, const int *fds, size_t nfds)
{
	char ctl[CMSG_SPACE(8 * sizeof(int))] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { .iov_base = (void *)(uintptr_t)bytes, .iov_len = n };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl,
			    .msg_controllen = CMSG_SPACE(nfds * sizeof(int)) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(nfds * sizeof(int));
	memcpy(CMSG_DATA(h), fds, nfds * sizeof(int));
	assert_int_equal(sendmsg(fd, &m, 0), (ssize_t)n);
}

/* A descriptor from anybody but the supervisor is dropped, and the words beside it still heard. */
static void test_unwanted_descriptors(void **state)
{
	(void)state;
	size_t before = open_descriptors();
	uint8_t h[CHAN_HEAD];
	struct {
		enum proc from, to;
		uint16_t type;
		bool control;
	} rows[] = {
		{ PROC_FRONT, PROC_STRATEGIC, MSG_CALL_END, false },
		{ PROC_FRONT, PROC_SUPERVISOR, MSG_READY, true },
		{ PROC_STRATEGIC, PROC_SUPERVISOR, MSG_READER_WANT, true },
	};
	for (size_t i = 0; i < 3; i++) {
		int fd[2], extra[5] = { 0, 0, 0, 0, 0 };
		pair(fd);
		struct chan in;
		struct message m;
		chan_init(&in, fd[1], rows[i].to, rows[i].from, rows[i].control);
		put_header(h, CHAN_HEAD - 4, rows[i].type, 0, i);
		for (int k = 0; k < 3; k++)
			send_raw_fds(fd[0], h, sizeof(h), extra, 5);
		for (int k = 0; k < 3; k++) {
			assert_int_equal(chan_fill(&in), 0);
			assert_int_equal(chan_next(&in, &m), 1);
			assert_int_equal(m.fd, -1);
		}
		chan_close(&in);
		(void)close(fd[0]);
		assert_int_equal(open_descriptors(), before);
	}
	/* The supervisor's own: PEER without a descriptor is broken, more than one keeps only the first. */
	uint8_t peer[CHAN_HEAD + 1];
	int fd[2], two[2] = { 0, 1 };
	struct chan in;
	struct message m;
	put_header(peer, CHAN_HEAD - 4 + 1, MSG_PEER, 0, 0);
	peer[CHAN_HEAD] = PROC_HOUSE;
	pair(fd);
	chan_init(&in, fd[1], PROC_FRONT, PROC_SUPERVISOR, true);
	send_raw_fds(fd[0], peer, sizeof(peer), two, 2);
	assert_int_equal(chan_fill(&in), 0);
	assert_int_equal(chan_next(&in, &m), 1);
	(void)close(m.fd);
	assert_int_equal(send(fd[0], peer, sizeof(peer), 0), sizeof(peer));
	assert_int_equal(chan_fill(&in), 0);
	assert_int_equal(chan_next(&in, &m), FW_EPROTO);
	chan_close(&in);
	(void)close(fd[0]);
	assert_int_equal(open_descriptors(), before);
}

/* A process whose neighbour does not read: the queue has an end, and nothing blocks. */
static void test_queue_ends(void **state)
{
	(void)state;
	int fd[2];
	pair(fd);
	struct chan c;
	uint8_t *big = calloc(1, 1 << 20);
	assert_non_null(big);
	chan_init(&c, fd[0], PROC_STRATEGIC, PROC_FRONT, false);
	int err = 0;
	unsigned sent = 0;
	while ((err = chan_send(&c, MSG_REPLY_MORE, 1, big, 1 << 20)) == 0) {
		assert_int_equal(chan_flush(&c), 0);
		sent++;
		assert_true(sent < 100);
	}
	assert_int_equal(err, FW_ELIMIT);
	assert_true(sent >= CHAN_QUEUE_MAX >> 20);
	assert_true(chan_open(&c));
	free(big);
	chan_close(&c);
	assert_int_equal(chan_send(&c, MSG_HELLO, 0, NULL, 0), FW_EGONE);
	assert_int_equal(chan_flush(&c), FW_EGONE);
	assert_int_equal(chan_fill(&c), FW_EGONE);
	(void)close(fd[1]);
}

/* A long queue to a slow reader arrives whole and in order. */
static void test_slow_reader(void **state)
{
	(void)state;
	int fd[2];
	pair(fd);
	struct chan out, in;
	struct prop p = { 4 };
	static uint8_t bytes[200000];
	chan_init(&out, fd[0], PROC_FRONT, PROC_STRATEGIC, false);
	chan_init(&in, fd[1], PROC_STRATEGIC, PROC_FRONT, false);
	uint64_t sent = 0, got = 0;
	while (got < 300) {
		for (int k = 0; k < 3 && sent < 300; k++) {
			size_t n = 1 + sent * 601 % sizeof(bytes);
			memset(bytes, (int)sent, n);
			assert_int_equal(chan_send(&out, MSG_CALL_CHUNK, sent++, bytes, n), 0);
		}
		assert_int_equal(chan_flush(&out), 0);
		struct message m;
		assert_int_equal(chan_fill(&in), 0);
		for (uint64_t most = prop_below(&p, 4); most > 0 && chan_next(&in, &m) == 1; most--) {
			size_t n = 1 + got * 601 % sizeof(bytes);
			assert_int_equal(m.tag, got);
			assert_int_equal(cur_left(&m.body), n);
			const uint8_t *b = cur_take(&m.body, n);
			assert_true(b[0] == (uint8_t)got && b[n - 1] == (uint8_t)got);
			got++;
		}
	}
	chan_close(&out);
	chan_close(&in);
}

/* What was said before the end is heard before the end. */
static void test_last_words(void **state)
{
	(void)state;
	int fd[2];
	pair(fd);
	struct chan out, in;
	struct message m;
	static uint8_t bytes[262144 - CHAN_HEAD];
	chan_init(&out, fd[0], PROC_FRONT, PROC_STRATEGIC, false);
	chan_init(&in, fd[1], PROC_STRATEGIC, PROC_FRONT, false);
	int room = 1 << 20;
	(void)setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	assert_int_equal(chan_send(&out, MSG_CALL_CHUNK, 1, bytes, sizeof(bytes)), 0);
	while (chan_waiting(&out) > 0) {
		assert_int_equal(chan_flush(&out), 0);
		assert_int_equal(chan_fill(&in), 0);
	}
	chan_close(&out);
	while (chan_next(&in, &m) == 0)
		assert_int_equal(chan_fill(&in), 0);
	assert_int_equal(m.tag, 1);
	assert_int_equal(chan_fill(&in), FW_EGONE);
	assert_int_equal(chan_next(&in, &m), 0);
	chan_close(&in);
}

/* A keeper for one question: says ${before} answers that nobody asked for, then the true one. */
static void answer(int fd, unsigned before, const void *bytes, size_t n)
{
	struct chan c;
	struct message m;
	chan_init(&c, fd, PROC_KEEPER, PROC_HOUSE, false);
	int err = 0;
	while (err == 0 && chan_next(&c, &m) == 0) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		(void)poll(&p, 1, 2000);
		err = chan_fill(&c);
	}
	for (unsigned i = 0; i < before; i++)
		(void)chan_send(&c, MSG_SIGN, i, "old", 3);
	if (n > 0)
		(void)chan_send(&c, MSG_SIGN, m.tag, bytes, n);
	(void)chan_flush(&c);
	chan_close(&c);
}

static int ask(unsigned before, const void *bytes, size_t n, struct buf *ret)
{
	int fd[2], status;
	uint8_t question[40] = { 0 };
	pair(fd);
	pid_t child = fork();
	if (child == 0) {
		(void)close(fd[0]);
		answer(fd[1], before, bytes, n);
		_exit(0);
	}
	(void)close(fd[1]);
	struct chan c;
	chan_init(&c, fd[0], PROC_HOUSE, PROC_KEEPER, false);
	int err = chan_ask(&c, MSG_SIGN_ASK, question, sizeof(question), MSG_SIGN, ret, 2000);
	assert_true(chan_open(&c) == (err == 0));
	chan_close(&c);
	assert_int_equal(waitpid(child, &status, 0), child);
	return err;
}

static void test_ask(void **state)
{
	(void)state;
	struct buf b;
	buf_init(&b, 4096);
	assert_int_equal(ask(0, "yes", 3, &b), 0);
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "yes", 3);
	buf_clear(&b);
	assert_int_equal(ask(20, "yes", 3, &b), 0);
	assert_int_equal(b.len, 3);
	buf_clear(&b);
	assert_int_equal(ask(3, NULL, 0, &b), FW_EGONE);
	assert_int_equal(b.len, 0);
	buf_release(&b);
}

static void test_ask_in_vain(void **state)
{
	(void)state;
	int fd[2];
	uint8_t h[CHAN_HEAD], question[40] = { 0 };
	struct buf b;
	struct chan c;
	buf_init(&b, 4096);
	pair(fd);
	chan_init(&c, fd[0], PROC_HOUSE, PROC_KEEPER, false);
	usec_t start = time_mono();
	assert_int_equal(chan_ask(&c, MSG_SIGN_ASK, question, 40, MSG_SIGN, &b, 50), FW_EBUSY);
	assert_true(time_mono() - start >= 50000 && time_mono() - start < 2000000);
	assert_true(chan_open(&c)); /* slow is not broken */
	put_header(h, CHAN_HEAD - 4, MSG_CALL_END, 0, 0);
	assert_int_equal(write(fd[1], h, sizeof(h)), sizeof(h));
	assert_int_equal(chan_ask(&c, MSG_SIGN_ASK, question, 40, MSG_SIGN, &b, 50), FW_EPROTO);
	assert_false(chan_open(&c));
	assert_int_equal(chan_ask(&c, MSG_SIGN_ASK, question, 40, MSG_SIGN, &b, 50), FW_EGONE);
	(void)close(fd[1]);
	buf_release(&b);
}

/* Lack of memory at any point is said, and what went through is whole. */
static void test_no_memory(void **state)
{
	(void)state;
	static uint8_t bytes[20000];
	for (uint64_t n = 1;; n++) {
		int fd[2];
		struct chan out, in;
		struct message m;
		pair(fd);
		chan_init(&out, fd[0], PROC_FRONT, PROC_STRATEGIC, false);
		chan_init(&in, fd[1], PROC_STRATEGIC, PROC_FRONT, false);
		mem_fault_at(n);
		int err = chan_send(&out, MSG_CALL_CHUNK, 1, bytes, sizeof(bytes));
		if (err == 0)
			err = chan_flush(&out);
		if (err == 0)
			err = chan_fill(&in);
		bool hit = mem_fault_hit();
		mem_fault_at(0);
		assert_int_equal(err, hit ? -ENOMEM : 0);
		if (!hit)
			assert_int_equal(chan_next(&in, &m), 1);
		chan_close(&out);
		chan_close(&in);
		if (!hit)
			break;
	}
}

static void test_names(void **state)
{
	(void)state;
	assert_string_equal(proc_name(PROC_SUPERVISOR), "supervisor");
	assert_string_equal(proc_name(PROC_READER), "reader");
	assert_string_equal(proc_name(PROC_COUNT), "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_cut),
		cmocka_unit_test(test_broken_headers),
		cmocka_unit_test(test_table_is_law),
		cmocka_unit_test(test_sending_wrong_dies),
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_unwanted_descriptors),
		cmocka_unit_test(test_queue_ends),
		cmocka_unit_test(test_slow_reader),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_ask),
		cmocka_unit_test(test_ask_in_vain),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
