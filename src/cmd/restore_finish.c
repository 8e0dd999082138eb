/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * From unpacked files to a vault that may serve.
 *
 *   1. open the store, bring its schema to this program's
 *   2. integrity, then the whole ledger, against the checkpoints within it and
 *      the keeper's last head
 *   3. the journal of erasures: it must begin with the one in the backup;
 *      everything in it is erased again, each with an entry in the ledger, in one
 *      transaction with the entry of the restore itself
 *   4. the newer journal takes the place of the older
 *
 * Each step can be done again after a power cut: erasing what is erased is
 * no error, and a second entry of the restore says what happened.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "cmd/restore.h"
#include "domain/report/report_erase.h"
#include "node/backup/erasures.h"
#include "node/ledger/ledger.h"
#include "node/ledger/signer.h"
#include "store/store.h"

/* What can be erased, by the kind that its journal lines name. 0 or FW_ENOTFOUND when it is not there. */
struct eraser {
	const char *kind;
	int (*erase)(struct store *s, const struct erasure *e, struct diag *reterr);
};

static int erase_entry(struct store *s, const struct erasure *e, struct diag *reterr)
{
	return ledger_erase(s, &e->id[0], reterr);
}

static int erase_report(struct store *s, const struct erasure *e, struct diag *reterr)
{
	struct uuid nobody = UUID_NIL;
	return report_erase(s, &e->id[0], &e->id[1], e->at, &nobody, "Erased again when a backup was restored.", reterr);
}

static const struct eraser erasers[] = {
	{ report_erasure_kind, erase_report },
	{ "ledger.entry", erase_entry },
};

static const struct eraser *eraser_of(const char *kind)
{
	for (size_t i = 0; i < sizeof(erasers) / sizeof(erasers[0]); i++)
		if (strcmp(erasers[i].kind, kind) == 0)
			return &erasers[i];
	return NULL;
}

struct finishing {
	struct restore *r;
	int item;
	struct store *s;
	struct ledger_writer *w;
	struct buf old, now; /* journals: of the backup, and the newer one */
	uint8_t *key;        /* the vault's data key; sodium_malloc */
	size_t replayed;
};

/* ---- verification ---- */

static void show(void *arg, uint64_t done, uint64_t total)
{
	const struct finishing *f = arg;
	if (cmd_progress(f->r->c) && total > 0)
		(void)fprintf(stderr, "\rverifying the ledger of %s: %llu %%  ", item_name(f->item),
			      (unsigned long long)(done * 100 / total));
}

static int verify(struct finishing *f, struct diag *reterr)
{
	struct ledger_report rep;
	struct ledger_head head;
	uint8_t pk[KEY_ED_PK];
	char note[1000];
	const char *origin = node_dir_origin(&f->r->n, f->r->c->mem, item_vault(f->item));
	const struct signer sg = { .folder = restore_path(f->r, "keeper"), .keys = f->r->keys };
	node_keys_public(f->r->keys, pk);
	int err = store_check(f->s, reterr);
	if (err == 0)
		err = signer_last(&sg, origin, &head, reterr);
	if (err == 0) /* the keeper's head as an outside checkpoint: its text is this note again */
		err = checkpoint_format(origin, &head, node_keys_secret(f->r->keys), pk, note, sizeof(note));
	if (err == 0)
		err = ledger_verify(f->s, origin, pk, note, show, f, &rep, reterr);
	if (err == 0 && rep.verdict != 0)
		err = diag_set(reterr, FW_ETAMPERED, "the ledger of %s does not verify: %s", item_name(f->item), rep.words);
	return err;
}

/* ---- erasures ---- */

static int replay(void *arg, const struct erasure *e, struct diag *reterr)
{
	struct finishing *f = arg;
	const struct eraser *er = eraser_of(e->kind);
	if (er == NULL)
		return diag_set(reterr, FW_ENEWER, "the journal of erasures names %s, which this program cannot erase", e->kind);
	struct diag none = DIAG_INIT;
	int err = er->erase(f->s, e, &none);
	if (err == FW_ENOTFOUND) /* made and erased after the backup */
		return 0;
	struct ledger_note note = { .event = LEDGER_EV_BACKUP_REPLAY, .subjects = e->id,
				    .nsubjects = uuid_is_nil(&e->id[1]) ? 1 : 2 };
	if (err == 0)
		err = ledger_append(f->s, f->w, &note, NULL, reterr);
	if (err == 0)
		f->replayed++;
	return err < 0 ? diag_set(reterr, err, "%s", none.text) : 0;
}

static int replay_tx(struct store *s, void *arg, struct diag *reterr)
{
	struct finishing *f = arg;
	size_t lines;
	ledger_writer_rollback(f->w);
	f->replayed = 0;
	int err = f->now.len == 0 ? 0 : erasures_walk(f->now.data, f->now.len, f->key, replay, f, &lines, reterr);
	char detail[60];
	(void)snprintf(detail, sizeof(detail), "{\"erasures\":%zu}", f->replayed);
	struct ledger_note note = { .event = LEDGER_EV_BACKUP_RESTORE, .detail = detail };
	return err < 0 ? err : ledger_append(s, f->w, &note, NULL, reterr);
}

static int read_journal(const char *path, bool optional, struct buf *out, struct diag *reterr)
{
	struct diag d = DIAG_INIT;
	buf_init(out, ERASURES_MAX);
	int err = io_read_file(path, out, &d);
	return err == -ENOENT && optional ? 0 : err < 0 ? diag_set(reterr, err, "%s", d.text) : 0;
}

static int nothing(void *arg, const struct erasure *e, struct diag *reterr)
{
	(void)arg;
	(void)e;
	(void)reterr;
	return 0;
}

/* The newer journal whole, of this vault, and an extension of the backup's. */
static int read_journals(struct finishing *f, const char *journal, struct diag *reterr)
{
	size_t lines;
	const char *own = restore_path(f->r, arena_printf(f->r->c->mem, "%s/%s", item_name(f->item), ERASURES_FILE));
	int err = read_journal(own, true, &f->old, reterr);
	if (err == 0)
		err = read_journal(journal != NULL ? journal : own, journal == NULL, &f->now, reterr);
	if (err == 0 && f->now.len > 0)
		err = erasures_walk(f->now.data, f->now.len, f->key, nothing, NULL, &lines, reterr);
	/* A torn last line of the older one was cut off by what came after it. */
	size_t whole = f->old.len;
	while (whole > 0 && f->old.data[whole - 1] != '\n')
		whole--;
	if (err == 0 && (f->now.len < whole || (whole > 0 && memcmp(f->now.data, f->old.data, whole) != 0)))
		err = diag_set(reterr, FW_ECONFLICT, "%s is older than the journal in the backup, or of another node", journal);
	if (err == 0 && journal != NULL)
		err = io_write_file(own, f->now.data != NULL ? f->now.data : (const uint8_t *)"", f->now.len, 0600, reterr);
	return err;
}

static int finish(struct finishing *f, const char *journal, struct diag *reterr)
{
	const char *vault = vault_rows[item_vault(f->item)].name;
	f->key = sodium_malloc(KEY_BYTES);
	int err = f->key == NULL ? -ENOMEM : node_keys_derive(f->r->keys, vault, f->key);
	if (err == 0)
		err = node_dir_store(&f->r->n, f->r->c->mem, item_vault(f->item), true, &f->s, reterr);
	if (err == 0)
		err = verify(f, reterr);
	if (err == 0)
		err = read_journals(f, journal, reterr);
	if (err == 0)
		err = ledger_start(f->s, reterr);
	if (err == 0)
		err = ledger_writer_new(&f->w);
	if (err == 0)
		err = store_tx(f->s, STORE_WRITE, replay_tx, f, reterr);
	size_t n;
	return err < 0 ? err : ledger_sequence(f->s, SIZE_MAX / 2, &n, reterr);
}

int restore_finish(struct restore *r, int item, const char *journal, struct diag *reterr)
{
	struct finishing f = { .r = r, .item = item };
	int err = finish(&f, journal, reterr);
	r->erased[item] = f.replayed;
	buf_release(&f.old);
	buf_release(&f.now);
	ledger_writer_free(f.w);
	store_close(f.s);
	sodium_free(f.key);
	return err;
}
