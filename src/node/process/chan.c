/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/chan.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/err.h"
#include "base/time.h"
#include "gen/tables.h"

enum { READ_STEP = 256 * 1024, SEND_FD_WAIT = 2 * 1000 * 1000 };

static const char *const names[PROC_COUNT] = {
	[PROC_SUPERVISOR] = "supervisor", [PROC_FRONT] = "front",
	[PROC_HOUSE] = "house",		  [PROC_STRATEGIC] = "strategic",
	[PROC_OPERATIONAL] = "operational", [PROC_PROTECTION] = "protection",
	[PROC_KEEPER] = "keeper",	  [PROC_READER] = "reader",
};

const char *proc_name(enum proc p)
{
	return (unsigned)p < PROC_COUNT ? names[p] : "?";
}

/* Whether the table lets ${from} say ${type} with ${n} bytes to ${to}. */
static bool allowed(uint16_t type, enum proc from, enum proc to, size_t n)
{
	if (type >= MSG_COUNT)
		return false;
	const struct message_row *row = &message_rows[type];
	return (row->from & (1U << from)) != 0 && (row->to & (1U << to)) != 0 && n >= row->min &&
	       n <= row->max;
}

void chan_init(struct chan *c, int fd, enum proc self, enum proc peer, bool control)
{
	*c = (struct chan){ .fd = fd, .self = self, .peer = peer, .pending_fd = -1,
			    .control = control };
	buf_init(&c->in, (size_t)2 * (CHAN_PAYLOAD_MAX + CHAN_HEAD + READ_STEP));
	/* Twice, since what was sent already may stand before it. */
	buf_init(&c->out, 2 * ((size_t)CHAN_QUEUE_MAX + CHAN_PAYLOAD_MAX + CHAN_HEAD));
}

void chan_close(struct chan *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	if (c->pending_fd >= 0)
		(void)close(c->pending_fd);
	c->fd = c->pending_fd = -1;
	buf_release(&c->in);
	buf_release(&c->out);
	c->in_used = c->out_used = 0;
	c->unheard = false;
}

static void put_head(struct buf *b, uint16_t type, uint64_t tag, size_t n)
{
	buf_u32(b, (uint32_t)(CHAN_HEAD - 4 + n));
	buf_u16(b, type);
	buf_u16(b, 0);
	buf_u64(b, tag);
}

int chan_send(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n)
{
	assert(allowed(type, c->self, c->peer, n));
	if (!chan_open(c))
		return FW_EGONE;
	if (chan_waiting(c) > CHAN_QUEUE_MAX)
		return FW_ELIMIT;
	if (c->out_used > c->out.len / 2) {
		buf_consume(&c->out, c->out_used);
		c->out_used = 0;
	}
	put_head(&c->out, type, tag, n);
	buf_put(&c->out, payload, n);
	if (buf_failed(&c->out)) {
		chan_close(c);
		return -ENOMEM;
	}
	return 0;
}

/* Whether the socket takes bytes before ${until}. */
static bool wait_writable(const struct chan *c, usec_t until)
{
	usec_t left = until - time_mono();
	struct pollfd p = { .fd = c->fd, .events = POLLOUT };
	int n = left > 0 ? poll(&p, 1, (int)(left / 1000) + 1) : 0;
	return n > 0 || (n < 0 && errno == EINTR);
}

int chan_send_fd(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n, int fd)
{
	assert(allowed(type, c->self, c->peer, n) && c->control && n <= 64);
	uint8_t room[CHAN_HEAD + 64];
	struct buf b;
	buf_init(&b, sizeof(room));
	put_head(&b, type, tag, n);
	buf_put(&b, payload, n);
	if (buf_failed(&b)) {
		buf_release(&b);
		return -ENOMEM;
	}
	memcpy(room, b.data, b.len);
	struct iovec iov = { .iov_base = room, .iov_len = b.len };
	buf_release(&b);
	usec_t until = time_mono() + SEND_FD_WAIT;
	/* Everything queued goes first, or the order would be lost. */
	while (chan_waiting(c) > 0)
		if (chan_flush(c) != 0 || (chan_waiting(c) > 0 && !wait_writable(c, until)))
			return FW_EGONE;
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl;
	memset(&ctl, 0, sizeof(ctl));
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.bytes,
			    .msg_controllen = sizeof(ctl.bytes) };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(int));
	for (;;) {
		ssize_t w = sendmsg(c->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w == (ssize_t)iov.iov_len)
			return 0;
		if (w < 0 && errno == EINTR)
			continue;
		if (w >= 0 || errno != EAGAIN || !wait_writable(c, until))
			return FW_EGONE; /* a cut message can not be mended: the caller drops the channel */
	}
}

int chan_flush(struct chan *c)
{
	if (!chan_open(c))
		return FW_EGONE;
	while (chan_waiting(c) > 0) {
		ssize_t w = send(c->fd, c->out.data + c->out_used, chan_waiting(c),
				 MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w > 0)
			c->out_used += (size_t)w;
		else if (w < 0 && errno == EINTR)
			continue;
		else if (w < 0 && errno == EAGAIN)
			return 0;
		else
			return FW_EGONE;
	}
	buf_clear(&c->out);
	c->out_used = 0;
	return 0;
}

/* Whether descriptors may come: from the supervisor alone. */
static bool takes_descriptors(const struct chan *c)
{
	return c->control && c->peer == PROC_SUPERVISOR;
}

/* Keep the one descriptor that may come with a message; close what may not. */
static void take_descriptors(struct chan *c, struct msghdr *m)
{
	for (struct cmsghdr *h = CMSG_FIRSTHDR(m); h != NULL; h = CMSG_NXTHDR(m, h)) {
		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(int));
			if (c->pending_fd < 0)
				c->pending_fd = fd;
			else
				(void)close(fd);
		}
	}
}

/* One read of the socket: bytes read, 0 when nothing stands ready, FW_EGONE at the end. */
static ssize_t read_some(struct chan *c)
{
	uint8_t *room = buf_reserve(&c->in, READ_STEP);
	if (room == NULL)
		return -ENOMEM;
	struct iovec iov = { .iov_base = room, .iov_len = READ_STEP };
	union {
		char bytes[CMSG_SPACE(4 * sizeof(int))];
		struct cmsghdr align;
	} ctl;
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	if (takes_descriptors(c)) { /* without this room the kernel closes what comes */
		m.msg_control = ctl.bytes;
		m.msg_controllen = sizeof(ctl.bytes);
	}
	ssize_t r;
	do
		r = recvmsg(c->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	while (r < 0 && errno == EINTR);
	if (r < 0)
		return errno == EAGAIN ? 0 : FW_EGONE;
	if (m.msg_control != NULL)
		take_descriptors(c, &m);
	buf_advance(&c->in, (size_t)r);
	return r > 0 ? r : FW_EGONE;
}

int chan_fill(struct chan *c)
{
	if (!chan_open(c))
		return FW_EGONE;
	/* What was given out is over: move the rest to the front. */
	buf_consume(&c->in, c->in_used);
	c->in_used = 0;
	size_t before = c->in.len;
	ssize_t r = READ_STEP;
	/* One descriptor at a time, so that it meets its message. */
	while (r == READ_STEP && c->pending_fd < 0 && c->in.max - c->in.len >= READ_STEP)
		r = read_some(c);
	/* What came before the end is still to be read. */
	return r >= 0 || c->in.len > before ? 0 : (int)r;
}

int chan_next(struct chan *c, struct message *ret)
{
	struct cursor cur;
	if (c->in.len - c->in_used < CHAN_HEAD)
		return 0;
	cur_init(&cur, c->in.data + c->in_used, c->in.len - c->in_used);
	uint32_t len = cur_u32(&cur);
	uint16_t type = cur_u16(&cur);
	uint16_t zero = cur_u16(&cur);
	uint64_t tag = cur_u64(&cur);
	if (len < CHAN_HEAD - 4 || len > CHAN_HEAD - 4 + CHAN_PAYLOAD_MAX || zero != 0)
		return FW_EPROTO;
	size_t n = len - (CHAN_HEAD - 4);
	if (!allowed(type, c->peer, c->self, n))
		return FW_EPROTO;
	if (cur_left(&cur) < n)
		return 0;
	*ret = (struct message){ .type = type, .tag = tag, .fd = -1 };
	cur_init(&ret->body, c->in.data + c->in_used + CHAN_HEAD, n);
	if (message_rows[type].descriptor) {
		if (c->pending_fd < 0)
			return FW_EPROTO;
		ret->fd = c->pending_fd;
		c->pending_fd = -1;
	}
	c->in_used += CHAN_HEAD + n;
	return 1;
}

/* Wait until something can be read or the time is over. */
static int wait_readable(struct chan *c, usec_t until)
{
	usec_t left = until - time_mono();
	if (left <= 0)
		return FW_EBUSY;
	struct pollfd p = { .fd = c->fd, .events = (short)(POLLIN | (chan_waiting(c) > 0 ? POLLOUT : 0)) };
	if (poll(&p, 1, (int)(left / 1000) + 1) < 0 && errno != EINTR)
		return FW_EGONE;
	int ret = chan_flush(c);
	return ret != 0 ? ret : chan_fill(c);
}

int chan_ask(struct chan *c, uint16_t type, const void *payload, size_t n, uint16_t answer_type,
	     struct buf *ret, int timeout_ms)
{
	static uint64_t next_tag = UINT64_C(1) << 63; /* apart from the tags of queued calls */
	uint64_t tag = ++next_tag;
	usec_t until = time_mono() + (usec_t)timeout_ms * 1000;
	int err = chan_send(c, type, tag, payload, n);
	if (err == 0)
		err = chan_flush(c);
	while (err == 0) {
		struct message m;
		int got = chan_next(c, &m);
		if (got < 0) {
			err = got;
		} else if (got == 0) {
			err = wait_readable(c, until);
		} else if (m.tag == tag && m.type == answer_type) {
			size_t left = cur_left(&m.body);
			buf_put(ret, cur_take(&m.body, left), left);
			c->unheard = c->in.len > c->in_used;
			return buf_failed(ret) ? ret->error : 0;
		}
		/* An answer to a question that was given up: nobody waits for it any more. */
	}
	if (err == FW_EPROTO || err == FW_EGONE)
		chan_close(c);
	return err;
}
