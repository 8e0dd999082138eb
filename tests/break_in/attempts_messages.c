/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Attempts by the channels that a process has: messages that are not its own
 * to send, tickets that it made or kept, questions in another's name.
 *
 * They are written past chan_send(), which would refuse them: the judge is the
 * process at the other end.  Results: 0, it took it; -EPIPE, it closed the
 * channel; for a request the status of its answer.
 */
#include "break_in.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/time.h"
#include "gen/tables.h"
#include "node/access/house.h"
#include "node/ledger/signer.h"
#include "node/process/wire.h"

enum { WAIT_MS = 1500, MEM = 4 << 20, KEY_LEN = 32, TICKET_FLIP = 20 };
enum { TAG_SAY = 77, TAG_TICKET, TAG_NAME, TAG_SIGN };

/* ---- raw messages ---- */

static bool put_all(int fd, const uint8_t *p, size_t n)
{
	usec_t until = time_mono() + WAIT_MS * INT64_C(1000);
	while (n > 0 && time_mono() < until) {
		ssize_t w = send(fd, p, n, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (w < 0 && errno != EAGAIN)
			return false;
		p += w > 0 ? w : 0;
		n -= w > 0 ? (size_t)w : 0;
	}
	return n == 0;
}

static bool send_raw(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n)
{
	struct buf b;
	buf_init(&b, CHAN_PAYLOAD_MAX + CHAN_HEAD);
	buf_u32(&b, (uint32_t)(CHAN_HEAD - 4 + n));
	buf_u16(&b, type);
	buf_u16(&b, 0);
	buf_u64(&b, tag);
	buf_put(&b, payload, n);
	bool ok = !buf_failed(&b) && chan_flush(c) == 0 && put_all(c->fd, b.data, b.len);
	buf_release(&b);
	return ok;
}

/* The next message of any type on ${c}: 1; 0 after a while; -EPIPE when it was closed. */
static int hear(struct chan *c, struct message *m)
{
	usec_t until = time_mono() + WAIT_MS * INT64_C(1000);
	for (;;) {
		int got = chan_next(c, m);
		if (got != 0)
			return got == 1 ? 1 : -EPROTO;
		usec_t left = until - time_mono();
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		if (left <= 0)
			return 0;
		if (poll(&p, 1, (int)(left / 1000) + 1) > 0 && chan_fill(c) != 0)
			return -EPIPE;
	}
}

/* Whether the other end closes: what else it says is thrown away. */
static int until_closed(struct chan *c)
{
	struct message m;
	usec_t until = time_mono() + WAIT_MS * INT64_C(1000);
	int got = 1;
	while (got == 1 && time_mono() < until) {
		got = hear(c, &m);
		if (got == 1 && m.fd >= 0)
			(void)close(m.fd);
	}
	return got > 0 ? 0 : got;
}

static struct chan *channel_named(const char *name, size_t n)
{
	for (int p = 0; p < PROC_COUNT; p++)
		if (strlen(proc_name((enum proc)p)) == n && memcmp(proc_name((enum proc)p), name, n) == 0)
			return break_in_channel((enum proc)p);
	return NULL;
}

static int message_named(const char *name)
{
	for (int i = 0; i < MSG_COUNT; i++)
		if (strcmp(message_rows[i].name, name) == 0)
			return i;
	return -1;
}

/* "keeper CALL": the least payload that the table allows, all zero. */
static int say(const struct break_in *b)
{
	static const uint8_t zero[4096];
	size_t n = strcspn(b->arg, " ");
	struct chan *c = channel_named(b->arg, n);
	int type = message_named(b->arg + n + (b->arg[n] != '\0'));
	if (c == NULL || type < 0 || message_rows[type].min > sizeof(zero))
		return -ENOTCONN;
	if (!send_raw(c, (uint16_t)type, TAG_SAY, zero, message_rows[type].min))
		return -EPIPE;
	return until_closed(c);
}

/* "keeper": a length that no message has. */
static int say_too_much(const struct break_in *b)
{
	static const uint8_t head[CHAN_HEAD] = { 0xff, 0xff, 0xff, 0x7f };
	struct chan *c = channel_named(b->arg, strlen(b->arg));
	if (c == NULL)
		return -ENOTCONN;
	return put_all(c->fd, head, sizeof(head)) ? until_closed(c) : -EPIPE;
}

/* "strategic": a descriptor beside a message that is allowed. Nobody takes it: it does not arrive, the channel stays. */
static int pass_descriptor(const struct break_in *b)
{
	struct chan *c = channel_named(b->arg, strlen(b->arg));
	uint8_t byte = 0;
	struct iovec iov = { &byte, 0 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} ctl = { .bytes = "" };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.bytes,
			    .msg_controllen = sizeof(ctl.bytes) };
	int fd = 2;
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);
	if (c == NULL)
		return -ENOTCONN;
	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(h), &fd, sizeof(fd));
	iov.iov_base = (uint8_t[CHAN_HEAD]){ CHAN_HEAD - 4, 0, 0, 0, MSG_PEER };
	iov.iov_len = CHAN_HEAD;
	return sendmsg(c->fd, &m, MSG_NOSIGNAL) < 0 ? -errno : until_closed(c);
}

/* ---- a reader: what it says of its file ---- */

/* "10 4096": so many messages of records, of so many bytes that are none; without leave after the second. */
static int say_records(const struct break_in *b)
{
	static uint8_t noise[1 << 16];
	struct chan *c = break_in_channel(PROC_STRATEGIC);
	char *end;
	unsigned long n = strtoul(b->arg, &end, 10), bytes = strtoul(end, NULL, 10);
	memset(noise, 0xa5, sizeof(noise));
	if (c == NULL || bytes > sizeof(noise))
		return -ENOTCONN;
	for (unsigned long i = 0; i < n; i++)
		if (!send_raw(c, MSG_READ_RECORDS, 0, noise, bytes))
			return -EPIPE;
	return until_closed(c);
}

/* "1000000": it took more bytes than it was given. */
static int say_taken(const struct break_in *b)
{
	struct chan *c = break_in_channel(PROC_STRATEGIC);
	uint32_t n = (uint32_t)strtoul(b->arg, NULL, 10);
	uint8_t bytes[4] = { (uint8_t)n, (uint8_t)(n >> 8), (uint8_t)(n >> 16), (uint8_t)(n >> 24) };
	if (c == NULL || !send_raw(c, MSG_READ_TAKEN, 0, bytes, sizeof(bytes)))
		return -ENOTCONN;
	return until_closed(c);
}

/* ---- the front: tickets and requests ---- */

static int fetch_ticket(const uint8_t token_hash[32], uint8_t *ret, size_t *ret_n)
{
	struct chan *house = break_in_channel(PROC_HOUSE);
	struct message m;
	const uint8_t *ticket = NULL;
	int got;
	if (house == NULL || !send_raw(house, MSG_TICKET_ASK, TAG_TICKET, token_hash, 32))
		return -ENOTCONN;
	while ((got = hear(house, &m)) == 1 && (m.type != MSG_TICKET || m.tag != TAG_TICKET))
		;
	if (got != 1)
		return got < 0 ? got : -ETIMEDOUT;
	if (wire_ticket_get(&m.body, &ticket, ret_n) != 0 || ticket == NULL || *ret_n > WIRE_TICKET_MAX)
		return -ENOENT;
	memcpy(ret, ticket, *ret_n);
	return 0;
}

/* Which process is asked, for which route: "strategic see_own_permissions". */
struct wish {
	enum proc vault;
	const struct route_row *route;
};

/* The status that it answers with this ticket. */
static int call(const struct break_in *b, const struct wish *wish, const uint8_t *ticket, size_t n)
{
	struct wire_call w = { .op = (uint16_t)wish->route->op, .ticket = n > 0 ? ticket : NULL, .ticket_len = n,
			       .lang = "en", .address = "192.0.2.1", .agent = "break-in",
			       .nparams = wish->route->nparams };
	struct chan *c = break_in_channel(wish->vault);
	struct wire_reply reply = { .status = 0 };
	struct message m;
	struct buf buf;
	int got = 0;
	if (c == NULL)
		return -ENOTCONN;
	memcpy(w.token_hash, b->board->token_hash, sizeof(w.token_hash));
	for (size_t i = 0; i < w.nparams; i++)
		w.param[i] = "01900000-0000-7000-8000-000000000000";
	buf_init(&buf, 65536);
	wire_call_put(&buf, &w);
	uint64_t tag = UINT64_C(1) << 40;
	bool sent = !buf_failed(&buf) && send_raw(c, MSG_CALL, tag, buf.data, buf.len);
	buf_release(&buf);
	while (sent && (got = hear(c, &m)) == 1 && (m.type != MSG_REPLY || m.tag != tag))
		;
	struct arena *a = arena_new(MEM);
	if (sent && got == 1 && a != NULL && wire_reply_get(&m.body, a, &reply) != 0)
		got = -EPROTO;
	arena_free(a);
	return !sent ? -EPIPE : got != 1 ? (got < 0 ? got : -ETIMEDOUT) : reply.status;
}

static int wish_of(const struct break_in *b, struct wish *ret)
{
	static const int vaults[PROC_COUNT] = { [PROC_HOUSE] = VAULT_HOUSE, [PROC_STRATEGIC] = VAULT_STRATEGIC,
						[PROC_OPERATIONAL] = VAULT_OPERATIONAL,
						[PROC_PROTECTION] = VAULT_PROTECTION };
	size_t n = strcspn(b->arg, " ");
	const char *operation = b->arg + n + (b->arg[n] != '\0');
	struct wish w = { .vault = PROC_SUPERVISOR };
	for (int p = PROC_HOUSE; p <= PROC_PROTECTION; p++)
		if (strlen(proc_name((enum proc)p)) == n && memcmp(proc_name((enum proc)p), b->arg, n) == 0)
			w.vault = (enum proc)p;
	/* A route that every vault has: this one's; else another's, which this one must refuse. */
	for (int i = 0; i < ROUTE_COUNT; i++)
		if (strcmp(route_rows[i].operation, operation) == 0 &&
		    (w.route == NULL || route_rows[i].vault == vaults[w.vault]))
			w.route = &route_rows[i];
	*ret = w;
	return w.route == NULL || w.vault == PROC_SUPERVISOR ? -EINVAL : 0;
}

enum ticket_kind { WITHOUT, OF_THE_HOUSE, CHANGED, INVENTED };

static int call_with(const struct break_in *b, enum ticket_kind kind)
{
	struct wish w;
	uint8_t ticket[WIRE_TICKET_MAX] = { 0 };
	struct buf made;
	size_t n = 0;
	int err = wish_of(b, &w);
	if (err == 0 && (kind == OF_THE_HOUSE || kind == CHANGED))
		err = fetch_ticket(b->board->token_hash, ticket, &n);
	if (err == 0 && kind == CHANGED)
		ticket[TICKET_FLIP] ^= 1; /* in the session's id */
	if (err == 0 && kind == INVENTED) {
		static const uint8_t key[KEY_LEN];
		struct ticket t = { .account.b = { 1 }, .session.b = { 2 }, .expires = time_now() + USEC_PER_SEC * 60,
				    .login = "administrator" };
		buf_init(&made, sizeof(ticket));
		ticket_seal(&t, key, &made);
		n = made.len;
		memcpy(ticket, made.data, n);
		buf_release(&made);
	}
	return err != 0 ? err : call(b, &w, ticket, n);
}

static int call_without(const struct break_in *b) { return call_with(b, WITHOUT); }
static int call_as_somebody(const struct break_in *b) { return call_with(b, OF_THE_HOUSE); }
static int call_changed(const struct break_in *b) { return call_with(b, CHANGED); }
static int call_invented(const struct break_in *b) { return call_with(b, INVENTED); }

/* A ticket for a session that nobody opened. */
static int ask_ticket(const struct break_in *b)
{
	static const uint8_t guess[32] = { 9, 9, 9 };
	uint8_t ticket[WIRE_TICKET_MAX];
	size_t n;
	(void)b;
	return fetch_ticket(guess, ticket, &n);
}

/* ---- a vault: its neighbours ---- */

/* What it may ask: the way in which all others are shown to be refused works. */
static int ask_name(const struct break_in *b)
{
	struct chan *c = break_in_channel(PROC_HOUSE);
	struct wire_name_ask ask = { .by_login = true };
	struct message m;
	struct buf buf;
	int got;
	(void)snprintf(ask.login, sizeof(ask.login), "%s", b->arg);
	buf_init(&buf, 256);
	wire_name_ask_put(&buf, &ask);
	bool sent = c != NULL && !buf_failed(&buf) && send_raw(c, MSG_NAME_ASK, TAG_NAME, buf.data, buf.len);
	buf_release(&buf);
	if (!sent)
		return -ENOTCONN;
	while ((got = hear(c, &m)) == 1 && (m.type != MSG_NAME || m.tag != TAG_NAME))
		;
	return got == 1 ? 0 : got < 0 ? got : -ETIMEDOUT;
}

/* A head of a ledger that never was: a million entries, or none after there were some. */
static int ask_signature(const struct break_in *b)
{
	struct chan *c = break_in_channel(PROC_KEEPER);
	struct ledger_head head = { .size = strtoull(b->arg, NULL, 10) };
	struct sign_reply reply;
	struct message m;
	struct buf buf;
	int got;
	buf_init(&buf, 1024);
	sign_ask_put(&buf, &head, 0, "", 1); /* a proof of no hashes */
	bool sent = c != NULL && !buf_failed(&buf) && send_raw(c, MSG_SIGN_ASK, TAG_SIGN, buf.data, buf.len);
	buf_release(&buf);
	if (!sent)
		return -ENOTCONN;
	while ((got = hear(c, &m)) == 1 && (m.type != MSG_SIGN || m.tag != TAG_SIGN))
		;
	if (got != 1)
		return got < 0 ? got : -ETIMEDOUT;
	return sign_reply_get(&m.body, &reply) != 0 ? -EPROTO : reply.state == SIGN_DONE ? 0 : -EACCES;
}

const struct attempt attempts_messages[] = {
	{ "say", say },
	{ "say_too_much", say_too_much },
	{ "pass_descriptor", pass_descriptor },
	{ "say_records", say_records },
	{ "say_taken", say_taken },
	{ "call_without_ticket", call_without },
	{ "call_as_somebody", call_as_somebody },
	{ "call_changed_ticket", call_changed },
	{ "call_invented_ticket", call_invented },
	{ "ask_ticket", ask_ticket },
	{ "ask_name", ask_name },
	{ "ask_signature", ask_signature },
	{ NULL, NULL },
};
