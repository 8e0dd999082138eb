/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Channels: how the processes of a node speak.
 *
 * A channel is one end of a Unix stream socket made by the supervisor; no
 * process can make one itself.  A message is
 *
 *     u32 length of what follows | u16 type | u16 zero | u64 tag | payload
 *
 * little-endian, payload at most CHAN_PAYLOAD_MAX, written with base/buf.h and
 * read with base/cursor.h.  The tag joins an answer to its question.  A table
 * (messages.tbl) says which process may send which type to which, and how
 * long it may be; what breaks it is FW_EPROTO and the receiver drops the
 * channel and reports: a broken neighbour is never argued with.
 *
 * Descriptors travel only from the supervisor (MSG_PEER) and only on the
 * control channel.
 */
#ifndef FW_NODE_CHAN_H
#define FW_NODE_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/cursor.h"

enum { CHAN_PAYLOAD_MAX = 2 * 1024 * 1024, CHAN_HEAD = 16 };

/* Processes of a node. */
enum proc {
	PROC_SUPERVISOR,
	PROC_FRONT,
	PROC_HOUSE,
	PROC_STRATEGIC,
	PROC_OPERATIONAL,
	PROC_PROTECTION,
	PROC_KEEPER,
	PROC_READER,
	PROC_COUNT
};
const char *proc_name(enum proc p);

struct message {
	uint16_t type; /* enum msg */
	uint64_t tag;
	struct cursor body; /* into the channel's buffer: valid until the next chan_next */
	int fd;             /* passed descriptor, owned by the receiver; -1 for none */
};

struct chan {
	int fd; /* -1 when closed */
	enum proc self, peer;
	struct buf in, out;
	size_t in_used;  /* of in, given out already */
	size_t out_used; /* of out, sent already */
	int pending_fd;
	bool control; /* descriptors may come */
	bool unheard; /* behind its answer, chan_ask() read bytes of which no poll will tell */
};

void chan_init(struct chan *c, int fd, enum proc self, enum proc peer, bool control);
void chan_close(struct chan *c);
static inline bool chan_open(const struct chan *c) { return c->fd >= 0; }

/* Queue a message. 0, FW_ELIMIT when more than CHAN_QUEUE_MAX bytes wait, FW_EGONE. The table is checked (a bug here dies). */
enum { CHAN_QUEUE_MAX = 64 * 1024 * 1024 };
int chan_send(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n);
/* With a descriptor, at once and blocking; only the supervisor. The descriptor stays the caller's. */
int chan_send_fd(struct chan *c, uint16_t type, uint64_t tag, const void *payload, size_t n, int fd);
/* Write what waits, as far as it goes. 0 or FW_EGONE. */
int chan_flush(struct chan *c);
static inline size_t chan_waiting(const struct chan *c) { return c->out.len - c->out_used; }
/* Read what stands ready. 0; FW_EGONE at the end, but not while bytes came before it. */
int chan_fill(struct chan *c);
/* The next whole message: 1, 0 if none is whole, FW_EPROTO. */
int chan_next(struct chan *c, struct message *ret);
/*
 * Ask and wait for the answer with the same tag; for the rare downward
 * questions (worker > house > keeper; never upward, so that nobody waits for
 * one who waits).  The answer's payload is copied into ${ret}.  What came
 * behind the answer waits in the channel: ${unheard} says so.
 */
int chan_ask(struct chan *c, uint16_t type, const void *payload, size_t n, uint16_t answer_type,
	     struct buf *ret, int timeout_ms);

#endif
