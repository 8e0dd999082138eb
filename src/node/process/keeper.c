/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/keeper.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "gen/tables.h"
#include "node/keys/keys.h"
#include "node/ledger/signer.h"
#include "node/process/child.h"
#include "node/process/sandbox.h"

enum { KEEPER_MEM = 1 << 20, PEERS = 4, ORIGIN_MAX = 400 };

struct peer {
	enum proc proc;
	int vault;
	struct chan chan;
	bool key_given; /* since this channel came */
};

struct keeper {
	struct chan control;
	struct peer peer[PEERS];
	struct wire_boot boot;
	struct node_keys *keys;
	struct signer signer;
	bool stop;
};

/* "origin/strategic": the name of a vault's ledger. */
static void origin_of(const struct keeper *k, int vault, char out[ORIGIN_MAX])
{
	(void)snprintf(out, ORIGIN_MAX, "%s/%s", k->boot.origin, vault_rows[vault].origin);
}

static int give_key(struct keeper *k, struct peer *p, uint64_t tag)
{
	if (p->key_given)
		return FW_EPROTO; /* asked twice in one life: somebody else is asking */
	uint8_t all[3 * KEY_BYTES];
	int err = node_keys_derive(k->keys, vault_rows[p->vault].name, all);
	if (err == 0)
		err = node_keys_derive(k->keys, "ticket", all + KEY_BYTES);
	node_keys_public(k->keys, all + 2 * KEY_BYTES);
	if (err == 0)
		err = chan_send(&p->chan, MSG_KEY, tag, all, sizeof(all));
	if (err == 0)
		err = chan_flush(&p->chan);
	if (!chan_waiting(&p->chan) && p->chan.out.data != NULL)
		sodium_memzero(p->chan.out.data, p->chan.out.cap);
	sodium_memzero(all, sizeof(all));
	p->key_given = true;
	return err;
}

static void log_checkpoint(const struct buf *reply)
{
	struct sign_reply r;
	struct cursor c;
	cur_init(&c, reply->data, reply->len);
	/* A line of its own in the journal: one of the places where an administrator of the node cannot write. */
	if (sign_reply_get(&c, &r) == 0)
		log_line(LOG_L_INFO, "ledger.checkpoint", "%s", r.text);
}

static int sign(struct keeper *k, struct peer *p, struct message *m)
{
	char origin[ORIGIN_MAX];
	struct diag d = DIAG_INIT;
	struct buf reply;
	bool done = false;
	int audit = 0;
	origin_of(k, p->vault, origin);
	buf_init(&reply, 4096);
	int err = signer_answer(&k->signer, origin, &m->body, &reply, &done, &audit, &d);
	if (err == 0)
		err = chan_send(&p->chan, MSG_SIGN, m->tag, reply.data, reply.len);
	if (err == 0 && done)
		log_checkpoint(&reply);
	else if (d.code != 0)
		log_line(LOG_L_WARN, "ledger.refused", "%s: %s", origin, d.text);
	if (audit != 0)
		log_line(LOG_L_ERROR, "ledger.auditor", "the auditor's file cannot be written: %s", err_text(audit));
	buf_release(&reply);
	return err;
}

static void hear_peer(struct keeper *k, struct peer *p)
{
	struct message m;
	int got = chan_fill(&p->chan);
	while (got == 0 && (got = chan_next(&p->chan, &m)) == 1)
		got = m.type == MSG_KEY_ASK ? give_key(k, p, m.tag) : sign(k, p, &m);
	if (got == 0)
		got = chan_flush(&p->chan);
	if (got < 0) {
		if (got != FW_EGONE)
			log_line(LOG_L_ERROR, "process.protocol", "%s broke the protocol", proc_name(p->proc));
		chan_close(&p->chan); /* a new one comes with its next life */
	}
}

static void take_peer(struct keeper *k, struct message *m)
{
	uint8_t who = cur_u8(&m->body);
	for (size_t i = 0; i < PEERS; i++) {
		struct peer *p = &k->peer[i];
		if ((uint8_t)p->proc != who)
			continue;
		chan_close(&p->chan);
		chan_init(&p->chan, m->fd, PROC_KEEPER, p->proc, false);
		p->key_given = false;
	}
}

static int hear_control(struct keeper *k)
{
	struct message m;
	int got = chan_fill(&k->control);
	while (got == 0 && (got = chan_next(&k->control, &m)) == 1) {
		if (m.type == MSG_PEER)
			take_peer(k, &m);
		else if (m.type == MSG_STOP)
			k->stop = true;
		got = 0;
	}
	return got;
}

static int turn(struct keeper *k)
{
	struct pollfd fds[PEERS + 1] = { { .fd = k->control.fd, .events = POLLIN } };
	for (size_t i = 0; i < PEERS; i++)
		fds[i + 1] = (struct pollfd){ .fd = k->peer[i].chan.fd,
					      .events = (short)(POLLIN | (chan_waiting(&k->peer[i].chan) ? POLLOUT : 0)) };
	if (poll(fds, PEERS + 1, -1) < 0)
		return errno == EINTR ? 0 : -errno;
	for (size_t i = 0; i < PEERS; i++)
		if (fds[i + 1].revents != 0 && chan_open(&k->peer[i].chan))
			hear_peer(k, &k->peer[i]);
	return fds[0].revents != 0 ? hear_control(k) : 0;
}

/* The folder of a path, in the arena. */
static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash == NULL ? "." : slash == path ? "/" : arena_strndup(a, path, (size_t)(slash - path));
}

static int begin(struct keeper *k, int fd, struct arena *mem, struct diag *reterr)
{
	int err = child_begin(PROC_KEEPER, fd, &k->control, mem, &k->boot, reterr);
	const char *path = err == 0 ? wire_boot_setting(&k->boot, "keeper.node_key") : NULL;
	if (err == 0 && (path == NULL || k->boot.folder == NULL))
		err = diag_set(reterr, FW_EPROTO, "the supervisor did not say where the keys are");
	if (err == 0)
		err = node_keys_load(path, &k->keys, reterr);
	if (err != 0)
		return err;
	k->signer = (struct signer){ .folder = k->boot.folder, .auditor = k->boot.auditor_file, .keys = k->keys };
	struct sandbox sb = { .proc = PROC_KEEPER, .dirs_rw = { k->boot.folder } };
	if (k->boot.auditor_file != NULL)
		sb.dirs_rw[1] = folder_of(mem, k->boot.auditor_file);
	const char *missing = NULL;
	err = sandbox_enter(&sb, &missing, reterr);
	if (err == 0 && missing != NULL)
		log_line(LOG_L_WARN, "process.walls", "%s", missing);
	return err;
}

int keeper_main(int fd)
{
	static struct keeper k = {
		.peer = { { .proc = PROC_HOUSE, .vault = VAULT_HOUSE },
			  { .proc = PROC_STRATEGIC, .vault = VAULT_STRATEGIC },
			  { .proc = PROC_OPERATIONAL, .vault = VAULT_OPERATIONAL },
			  { .proc = PROC_PROTECTION, .vault = VAULT_PROTECTION } },
	};
	for (size_t i = 0; i < PEERS; i++)
		k.peer[i].chan.fd = k.peer[i].chan.pending_fd = -1;
	struct arena *mem = arena_new(KEEPER_MEM);
	struct diag d = DIAG_INIT;
	int err = mem == NULL ? -ENOMEM : keys_start();
	if (err == 0)
		err = begin(&k, fd, mem, &d);
	if (err == 0)
		err = child_ready(&k.control);
	while (err == 0 && !k.stop)
		err = turn(&k);
	node_keys_free(k.keys);
	if (err != 0 && err != FW_EGONE)
		return child_failed(err, &d);
	return EXIT_SUCCESS;
}
