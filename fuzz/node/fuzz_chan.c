/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Parses: src/node/process/chan.c
 *
 * A stream of bytes from a neighbour that was broken into.  The first byte
 * names the two processes, the second how the stream is cut: the messages
 * heard must not depend on the cut.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "node/process/chan.h"

struct heard {
	unsigned n;
	int end;
	uint64_t sum;
};

/* Any change of type, tag, length or bytes changes the sum. */
static void note(struct heard *h, struct message *m)
{
	size_t n = cur_left(&m->body);
	const uint8_t *p = cur_take(&m->body, n);
	uint64_t s = h->sum * 31 + m->type;
	s = s * 31 + m->tag;
	s = s * 31 + n;
	for (size_t i = 0; i < n; i++)
		s = s * 31 + p[i];
	h->sum = s;
	h->n++;
	if (m->fd >= 0)
		abort(); /* none was sent */
}

static struct heard listen_to(enum proc self, enum proc peer, const uint8_t *data, size_t n, size_t piece)
{
	struct heard h = { 0 };
	struct chan c;
	struct message m;
	int fd[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
		abort();
	chan_init(&c, fd[0], self, peer, peer == PROC_SUPERVISOR);
	for (size_t at = 0; at < n && h.end == 0; at += piece) {
		size_t k = n - at < piece ? n - at : piece;
		if (send(fd[1], data + at, k, 0) != (ssize_t)k || chan_fill(&c) != 0)
			abort();
		while ((h.end = chan_next(&c, &m)) == 1)
			note(&h, &m);
	}
	chan_close(&c);
	(void)close(fd[1]);
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	if (n < 2 || n > 60000)
		return 0;
	enum proc self = (enum proc)(data[0] % PROC_COUNT), peer = (enum proc)(data[0] / PROC_COUNT % PROC_COUNT);
	size_t piece = 1 + data[1];
	struct heard whole = listen_to(self, peer, data + 2, n - 2, n);
	struct heard cut = listen_to(self, peer, data + 2, n - 2, n > 4000 ? piece * 64 : piece);
	if (whole.n != cut.n || whole.end != cut.end || whole.sum != cut.sum)
		abort();
	return 0;
}
