/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/log.h"
#include "gen/tables.h"
#include "node/keys/keys.h"
#include "node/ledger/signer.h"
#include "node/process/child.h"
#include "node/process/sandbox.h"

enum { MEM = 1 << 20, ORIGIN_MAX = 300 };

/* Who may ask, and as which vault. */
static const struct {
	enum proc proc;
	int vault;
} askers[] = {
	{ PROC_HOUSE, VAULT_HOUSE },
	{ PROC_STRATEGIC, VAULT_STRATEGIC },
	{ PROC_OPERATIONAL, VAULT_OPERATIONAL },
	{ PROC_PROTECTION, VAULT_PROTECTION },
};
enum { ASKERS = sizeof(askers) / sizeof(*askers) };

struct keeper {
	struct arena *mem;
	struct wire_boot boot;
	struct chan control;
	struct chan asker[ASKERS];
	bool given[ASKERS]; /* its keys, on this channel */
	struct node_keys *keys;
	struct signer signer;
	const char *missing;
	bool stop;
};

static int give_keys(struct keeper *k, size_t i, struct message *m)
{
	uint8_t *out = sodium_malloc(3 * KEY_BYTES);
	if (k->given[i]) {
		log_line(LOG_L_ERROR, "keeper.twice", "%s asked for its keys again and is refused",
			 proc_name(askers[i].proc));
		sodium_free(out);
		return FW_EPROTO;
	}
	if (out == NULL)
		return -ENOMEM;
	int err = node_keys_derive(k->keys, vault_rows[askers[i].vault].name, out);
	if (err == 0)
		err = node_keys_derive(k->keys, "ticket", out + KEY_BYTES);
	node_keys_public(k->keys, out + 2 * KEY_BYTES);
	if (err == 0)
		err = chan_send(&k->asker[i], MSG_KEY, m->tag, out, 3 * KEY_BYTES);
	if (err == 0)
		err = chan_flush(&k->asker[i]);
	if (k->asker[i].out.data != NULL)
		sodium_memzero(k->asker[i].out.data, k->asker[i].out.cap);
	k->given[i] = true;
	sodium_free(out);
	return err;
}

/* The signed text goes to the log as well: where the node's administrator cannot take it back, if the journal is sent away. */
static void log_checkpoint(const struct buf *reply)
{
	struct cursor cur;
	struct sign_reply r;
	cur_init(&cur, reply->data, reply->len);
	if (sign_reply_get(&cur, &r) == 0 && r.state == SIGN_DONE)
		log_line(LOG_L_INFO, "ledger.checkpoint", "%s", r.text);
}

static int sign(struct keeper *k, size_t i, struct message *m)
{
	char origin[ORIGIN_MAX];
	struct diag d = DIAG_INIT;
	struct buf reply;
	bool made = false;
	int audit = 0;
	int n = snprintf(origin, sizeof(origin), "%s/%s", k->boot.origin, vault_rows[askers[i].vault].origin);
	if (n < 0 || (size_t)n >= sizeof(origin))
		return -ENAMETOOLONG;
	buf_init(&reply, 4096);
	int err = signer_answer(&k->signer, origin, &m->body, &reply, &made, &audit, &d);
	if (err == 0 && made)
		log_checkpoint(&reply);
	else if (err == 0 && d.code != 0 && d.code != FW_ECONFLICT) /* that one only asks for another proof */
		log_line(LOG_L_ERROR, "ledger.refused", "%s: %s", proc_name(askers[i].proc), d.text);
	if (audit != 0)
		log_line(LOG_L_ERROR, "ledger.auditor", "the auditor's file cannot be written: %s", err_text(audit));
	if (err == 0)
		err = buf_failed(&reply) ? reply.error : chan_send(&k->asker[i], MSG_SIGN, m->tag, reply.data, reply.len);
	buf_release(&reply);
	return err;
}

static void hear_asker(struct keeper *k, size_t i)
{
	struct chan *c = &k->asker[i];
	struct message m;
	int filled = chan_fill(c), got = 0;
	while (got == 0 && (got = chan_next(c, &m)) == 1)
		got = m.type == MSG_KEY_ASK ? give_keys(k, i, &m) : sign(k, i, &m);
	if (got == FW_EPROTO) {
		uint8_t who = (uint8_t)askers[i].proc;
		log_line(LOG_L_ERROR, "peer.protocol", "%s broke the protocol; its channel is closed", proc_name(who));
		chan_close(c);
		/* No new channel: with one it could fetch its keys again. It gets one when it is started again. */
	} else if (got < 0 || filled != 0) {
		chan_close(c);
	}
}

static void take_peer(struct keeper *k, struct message *m)
{
	enum proc p = cur_u8(&m->body);
	for (size_t i = 0; i < ASKERS; i++) {
		if (askers[i].proc != p)
			continue;
		chan_close(&k->asker[i]);
		chan_init(&k->asker[i], m->fd, PROC_KEEPER, p, false);
		k->given[i] = false;
		m->fd = -1;
	}
	if (m->fd >= 0)
		(void)close(m->fd);
}

static void hear_control(struct keeper *k)
{
	struct message m;
	int got = chan_fill(&k->control);
	while (got == 0 && (got = chan_next(&k->control, &m)) == 1) {
		if (m.type == MSG_PEER)
			take_peer(k, &m);
		else
			k->stop = true;
		got = k->stop ? 0 : chan_fill(&k->control); /* it stops at each descriptor */
	}
	k->stop = k->stop || got < 0;
}

static void turn(struct keeper *k)
{
	struct pollfd fds[ASKERS + 1];
	for (size_t i = 0; i < ASKERS; i++)
		fds[i] = (struct pollfd){ .fd = k->asker[i].fd,
					  .events = (short)(POLLIN |
							    (chan_waiting(&k->asker[i]) > 0 ? POLLOUT : 0)) };
	fds[ASKERS] = (struct pollfd){ .fd = k->control.fd, .events = POLLIN };
	if (poll(fds, ASKERS + 1, -1) < 0 && errno != EINTR)
		k->stop = true;
	for (size_t i = 0; i < ASKERS; i++)
		if (fds[i].fd >= 0 && fds[i].revents != 0)
			hear_asker(k, i);
	if (fds[ASKERS].revents != 0)
		hear_control(k);
	for (size_t i = 0; i < ASKERS; i++)
		if (chan_open(&k->asker[i]) && chan_flush(&k->asker[i]) != 0)
			chan_close(&k->asker[i]);
}

/* The auditor's file lies outside the keeper's folder: its own folder is opened to it. */
static const char *folder_of(struct keeper *k, const char *file)
{
	const char *slash = file != NULL ? strrchr(file, '/') : NULL;
	if (slash == NULL)
		return NULL;
	return slash == file ? "/" : arena_strndup(k->mem, file, (size_t)(slash - file));
}

static int start(struct keeper *k, int control_fd, int key_fd, struct diag *reterr)
{
	int err = child_begin(PROC_KEEPER, control_fd, &k->control, k->mem, &k->boot, reterr);
	if (err != 0)
		return err;
	if (k->boot.folder == NULL)
		return diag_set(reterr, FW_EPROTO, "BOOT names no folder");
	struct sandbox sb = { .proc = PROC_KEEPER,
			      .dirs_rw = { k->boot.folder, folder_of(k, k->boot.auditor_file) } };
	err = child_walls(&k->boot, &sb, &k->missing, reterr);
	if (err == 0)
		err = node_keys_load_fd(key_fd, &k->keys, reterr);
	(void)close(key_fd);
	if (err != 0)
		return err;
	k->signer = (struct signer){ .folder = k->boot.folder, .auditor = k->boot.auditor_file, .keys = k->keys };
	return child_ready(&k->control);
}

int keeper_main(int control_fd, int key_fd)
{
	static struct keeper keeper;
	struct keeper *k = &keeper;
	struct diag d = DIAG_INIT;
	(void)signal(SIGPIPE, SIG_IGN);
	*k = (struct keeper){ .mem = arena_new(MEM) };
	for (size_t i = 0; i < ASKERS; i++)
		k->asker[i].fd = k->asker[i].pending_fd = -1;
	int err = k->mem == NULL || keys_start() < 0 ? -ENOMEM : start(k, control_fd, key_fd, &d);
	while (err == 0 && !k->stop)
		turn(k);
	node_keys_free(k->keys);
	for (size_t i = 0; i < ASKERS; i++)
		chan_close(&k->asker[i]);
	chan_close(&k->control);
	arena_free(k->mem);
	return err == 0 ? EXIT_SUCCESS : child_failed(err, &d);
}
