/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * The keeper signs a head only if it extends the last one: through refusals,
 * faults of every file operation, and power cuts at every point.  Two branches
 * of a ledger share their first FORK entries; an attacker asks for either.
 * What left the keeper is written down, and no two of it may contradict.
 */
#include "faults.h"
#include "power.h"

#include <sodium.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "node/keys/keys.h"
#include "node/ledger/checkpoint.h"
#include "node/ledger/merkle.h"
#include "node/ledger/signer.h"

enum { LEAVES = 300, FORK = 50, STEP = 80 };
static struct ledger_hash leaf[2][LEAVES];
static char folder[] = "/tmp/fairway-signer-XXXXXX", keyfile[100], auditor[100], headfile[200];
static const char origin[] = "fairway.example/n/strategic";
static struct signer sg;
static struct node_keys *keys;
static uint8_t pk[32];

static int branch_node(void *arg, unsigned height, uint64_t index, struct ledger_hash *ret)
{
	struct ledger_hash left, right;
	if (height == 0) {
		*ret = leaf[*(int *)arg][index];
		return 0;
	}
	(void)branch_node(arg, height - 1, 2 * index, &left);
	(void)branch_node(arg, height - 1, 2 * index + 1, &right);
	merkle_node(&left, &right, ret);
	return 0;
}

static struct ledger_head head_of(int branch, uint64_t size)
{
	struct merkle_source src = { branch_node, &branch };
	struct ledger_head h = { .size = size };
	assert_int_equal(merkle_root(&src, size, &h.root), 0);
	return h;
}

static int setup(void **state)
{
	(void)state;
	struct prop p = { 4711 };
	if (keys_start() < 0 || mkdtemp(folder) == NULL)
		return -1;
	for (int i = 0; i < LEAVES; i++) {
		prop_bytes(&p, leaf[0][i].b, 32);
		leaf[1][i] = leaf[0][i];
		if (i >= FORK)
			prop_bytes(&p, leaf[1][i].b, 32);
	}
	(void)snprintf(keyfile, sizeof(keyfile), "%s/node.key", folder);
	(void)snprintf(auditor, sizeof(auditor), "%s/auditor", folder);
	(void)snprintf(headfile, sizeof(headfile), "%s/fairway.example+n+strategic.head", folder);
	if (node_keys_create(keyfile, NULL) < 0 || node_keys_load(keyfile, &keys, NULL) < 0)
		return -1;
	node_keys_public(keys, pk);
	sg = (struct signer){ folder, auditor, keys };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	char cmd[200];
	node_keys_free(keys);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf '%s'", folder);
	return system(cmd);
}

static void fresh(void)
{
	(void)unlink(headfile);
	(void)unlink(auditor);
	assert_int_equal(signer_create(&sg, origin, NULL), 0);
}

/* ---- what left ---- */

struct emission {
	int branch;
	uint64_t size;
};
static struct emission out[20000];
static size_t nout;

static bool contradicts(struct emission a, struct emission b)
{
	return a.branch != b.branch && a.size > FORK && b.size > FORK;
}

/* False if it contradicts anything that left before. */
static bool emit(int branch, uint64_t size)
{
	struct emission e = { branch, size };
	bool fine = true;
	for (size_t i = 0; i < nout; i++)
		fine = fine && !contradicts(out[i], e);
	assert_true(nout < sizeof(out) / sizeof(out[0]));
	out[nout++] = e;
	return fine;
}

/* Ask for a head of a branch, with the proof from ${from}. True if no contradiction left. */
static bool ask(int branch, uint64_t from, uint64_t size, int *ret_err)
{
	struct merkle_source src = { branch_node, &branch };
	struct ledger_hash p[MERKLE_PROOF_MAX];
	struct ledger_head h = head_of(branch, size), last, got;
	struct buf text;
	size_t n = 0;
	if (from <= size)
		assert_int_equal(merkle_consistency(&src, from, size, p, &n), 0);
	buf_init(&text, CHECKPOINT_TEXT_MAX);
	*ret_err = signer_sign(&sg, origin, &h, from, p, n, &last, &text, NULL);
	bool fine = true;
	if (*ret_err == 0) {
		assert_int_equal(checkpoint_parse((const char *)text.data, text.len, origin, pk, &got), 0);
		assert_true(got.size == size && memcmp(got.root.b, h.root.b, 32) == 0);
		fine = emit(branch, size);
	} else {
		assert_int_equal(text.len, 0);
	}
	buf_release(&text);
	return fine;
}

static void test_growth_is_signed_and_nothing_else(void **state)
{
	(void)state;
	int err;
	struct ledger_head last;
	nout = 0;
	(void)unlink(headfile);
	assert_true(ask(0, 0, 5, &err));
	assert_int_equal(err, FW_ENOTFOUND); /* a missing file is no empty ledger */
	fresh();
	assert_int_equal(signer_create(&sg, origin, NULL), FW_EEXISTS);
	assert_int_equal(signer_last(&sg, origin, &last, NULL), 0);
	assert_int_equal(last.size, 0);
	static const uint64_t sizes[] = { 0, 1, 7, 7, 8, 50, 51, 200 };
	uint64_t from = 0;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_true(ask(0, from, sizes[i], &err));
		assert_int_equal(err, 0);
		from = sizes[i];
	}
	assert_true(ask(0, 200, 199, &err)); /* smaller */
	assert_int_equal(err, FW_ETAMPERED);
	assert_true(ask(0, 51, 200, &err)); /* proof from elsewhere: told where from */
	assert_int_equal(err, FW_ECONFLICT);
	assert_true(ask(1, 200, 200, &err)); /* another branch, same size */
	assert_int_equal(err, FW_ETAMPERED);
	fresh();
	assert_true(ask(0, 0, 60, &err));
	assert_int_equal(err, 0);
	assert_true(ask(1, 60, 100, &err)); /* another branch, longer */
	assert_int_equal(err, FW_ETAMPERED);
}

static void test_origins_keep_apart(void **state)
{
	(void)state;
	struct ledger_head last, h = head_of(0, 9);
	struct buf text;
	static const char *const bad[] = { "", "a b", "../x", ".", "a+b", "x\ny" };
	fresh();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(signer_create(&sg, bad[i], NULL), FW_EINVALID);
	assert_int_equal(signer_create(&sg, "fairway.example/n/../../x", NULL), 0); /* no way out: a file name like others */
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/fairway.example+n+..+..+x.head", folder);
	assert_int_equal(access(path, F_OK), 0);
	buf_init(&text, CHECKPOINT_TEXT_MAX);
	assert_int_equal(signer_sign(&sg, "fairway.example/n/house", &h, 0, NULL, 0, &last, &text, NULL), FW_ENOTFOUND);
	/* The file of one ledger in the place of another's. */
	(void)snprintf(path, sizeof(path), "cp '%s' '%s/fairway.example+n+house.head'", headfile, folder);
	assert_int_equal(system(path), 0);
	assert_int_equal(signer_sign(&sg, "fairway.example/n/house", &h, 0, NULL, 0, &last, &text, NULL), FW_ECRYPTO);
	buf_release(&text);
}

static void test_a_head_file_made_by_hand(void **state)
{
	(void)state;
	struct ledger_head last, h = head_of(1, 7);
	uint8_t opk[32], osk[64];
	char text[CHECKPOINT_OURS_MAX];
	int err;
	fresh();
	assert_true(ask(0, 0, 7, &err));
	(void)crypto_sign_keypair(opk, osk);
	assert_int_equal(checkpoint_format(origin, &h, osk, opk, text, sizeof(text)), 0);
	assert_int_equal(io_write_file(headfile, text, strlen(text), 0600, NULL), 0);
	assert_int_equal(signer_last(&sg, origin, &last, NULL), FW_ECRYPTO);
	assert_int_equal(io_write_file(headfile, "", 0, 0600, NULL), 0);
	assert_int_equal(signer_last(&sg, origin, &last, NULL), FW_ECRYPTO);
	static char big[20000];
	memset(big, 'x', sizeof(big));
	assert_int_equal(io_write_file(headfile, big, sizeof(big), 0600, NULL), 0);
	assert_int_equal(signer_last(&sg, origin, &last, NULL), FW_ELIMIT);
}

/* After a fault at any operation both branches are asked for: whichever the keeper takes, it stays with it. */
static void test_every_file_operation_fails(void **state)
{
	(void)state;
	int err;
	unsigned n;
	for (n = 1;; n++) {
		fresh();
		nout = 0;
		assert_true(ask(0, 0, 40, &err));
		assert_int_equal(err, 0);
		io_fault_at(n);
		assert_true(ask(0, 40, 100, &err));
		bool hit = io_fault_hit();
		io_fault_at(0);
		if (!hit)
			break;
		struct ledger_head last;
		assert_int_equal(signer_last(&sg, origin, &last, NULL), 0);
		assert_true(last.size == 40 || last.size == 100);
		assert_true(ask(1, last.size, 120, &err));
		assert_true(ask(0, last.size, 130, &err));
		assert_true(ask(1, 100, 140, &err));
	}
	assert_true(n > 6);
}

/* A life of asking with power cuts. False if a contradiction left. */
static bool life(uint64_t seed, bool honest, unsigned cut_first, unsigned rounds)
{
	struct prop p = { seed };
	bool fine = true;
	nout = 0;
	(void)unlink(headfile);
	(void)unlink(auditor);
	power_up(honest);
	assert_int_equal(signer_create(&sg, origin, NULL), 0);
	if (!honest) { /* the control run loses syncs later, not the first file */
		power.honest = true;
		assert_int_equal(io_sync_dir(folder), 0);
		power_settle(power.file[power.name[power_name_of(headfile)].now], NULL);
		power.honest = false;
	}
	power_cut_at(cut_first != 0 ? cut_first : 1 + (unsigned)prop_below(&p, 60));
	for (unsigned i = 0; fine && i < rounds; i++) {
		struct ledger_head last;
		int err, branch = (int)prop_below(&p, 2);
		if (signer_last(&sg, origin, &last, NULL) == 0 && last.size < LEAVES - STEP) {
			uint64_t from = prop_below(&p, 8) == 0 ? prop_below(&p, LEAVES) : last.size;
			fine = ask(branch, from, last.size + prop_below(&p, prop_below(&p, 4) == 0 ? STEP : 3), &err);
			if (err == 0)
				(void)signer_audit(&sg, "note\n", 5, NULL);
		}
		if (power_was_cut()) {
			power_back(&p);
			struct ledger_head after;
			/* What is there after a cut is whole and not older than what left. */
			if (honest) {
				assert_int_equal(signer_last(&sg, origin, &after, NULL), 0);
				for (size_t k = 0; k < nout; k++)
					assert_true(after.size >= out[k].size);
			}
			power_cut_at(1 + (unsigned)prop_below(&p, 60));
		}
	}
	power_end();
	return fine;
}

static void test_power_cut_at_every_point(void **state)
{
	(void)state;
	for (unsigned cut = 1; cut <= 80; cut++)
		for (uint64_t seed = 1; seed <= prop_rounds(4); seed++)
			assert_true(life(seed * 1000 + cut, true, cut, 30));
}

static void test_power_cuts_at_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= prop_rounds(100); seed++)
		if (!life(seed, true, 0, 80))
			fail_msg("two contradicting heads left with seed %llu", (unsigned long long)seed);
}

/* With syncs that lie a contradiction must come out, or the tests above show nothing. */
static void test_the_control_run_fails(void **state)
{
	(void)state;
	bool broke = false;
	for (uint64_t seed = 1; seed <= 400 && !broke; seed++)
		broke = !life(seed, false, 0, 80);
	assert_true(broke);
}

/* ---- the auditor's file ---- */

static void test_the_auditors_file_is_found_whole_after_a_torn_write(void **state)
{
	(void)state;
	char text[CHECKPOINT_OURS_MAX], path[100];
	struct ledger_head h, got;
	struct buf b;
	(void)snprintf(path, sizeof(path), "%s/audit2", folder);
	struct signer with = { folder, path, keys };
	for (unsigned n = 1;; n++) {
		(void)unlink(path);
		for (int i = 1; i <= 3; i++) {
			h = head_of(0, (uint64_t)i * 10);
			assert_int_equal(checkpoint_format(origin, &h, node_keys_secret(keys), pk, text, sizeof(text)), 0);
			io_fault_at(i == 2 ? n : 0);
			int err = signer_audit(&with, text, strlen(text), NULL);
			bool hit = io_fault_hit();
			io_fault_at(0);
			if (i == 2 && !hit)
				goto end;
			assert_true(err == 0 || hit);
		}
		buf_init(&b, 10000);
		assert_int_equal(io_read_file(path, &b, NULL), 0);
		size_t at = 0, len, good = 0;
		const char *note;
		uint64_t last = 0;
		while (checkpoint_next((const char *)b.data, b.len, &at, &note, &len)) {
			if (checkpoint_parse(note, len, origin, pk, &got) == 0) {
				good++;
				last = got.size;
			}
		}
		assert_true(good >= 2 && last == 30);
		buf_release(&b);
		continue;
end:
		assert_true(n > 3);
		break;
	}
	struct signer none = { folder, NULL, keys };
	assert_int_equal(signer_audit(&none, "x", 1, NULL), 0);
	struct signer nowhere = { folder, "/nonexistent/auditor", keys };
	struct diag d = DIAG_INIT;
	assert_int_equal(signer_audit(&nowhere, "x", 1, &d), -ENOENT);
	assert_non_null(strstr(d.text, "/nonexistent/auditor"));
}

/* ---- messages ---- */

static struct sign_reply answer(const struct ledger_head *h, uint64_t from, const struct buf *proof, bool *ret_signed)
{
	struct buf q, reply;
	struct cursor c;
	struct sign_reply r;
	int audit;
	buf_init(&q, 8192);
	buf_init(&reply, 4096);
	sign_ask_put(&q, h, from, proof->data, proof->len);
	assert_true(q.len >= 40 && q.len <= 8192);
	cur_init(&c, q.data, q.len);
	assert_int_equal(signer_answer(&sg, origin, &c, &reply, ret_signed, &audit, NULL), 0);
	assert_int_equal(audit, 0);
	cur_init(&c, reply.data, reply.len);
	assert_int_equal(sign_reply_get(&c, &r), 0);
	buf_release(&q);
	buf_release(&reply);
	return r;
}

static void test_messages(void **state)
{
	(void)state;
	struct ledger_head h = head_of(0, 33), got;
	struct buf proof;
	bool is_signed;
	fresh();
	buf_init(&proof, 3000);
	buf_u8(&proof, 0);
	struct sign_reply r = answer(&h, 0, &proof, &is_signed);
	assert_int_equal(r.state, SIGN_DONE);
	assert_true(is_signed);
	assert_int_equal(checkpoint_parse(r.text, strlen(r.text), origin, pk, &got), 0);
	assert_int_equal(got.size, 33);
	r = answer(&h, 0, &proof, &is_signed);
	assert_int_equal(r.state, SIGN_FROM);
	assert_int_equal(r.from, 33);
	assert_false(is_signed);
	h = head_of(1, 70);
	r = answer(&h, 33, &proof, &is_signed);
	assert_int_equal(r.state, SIGN_REFUSED);
	assert_non_null(strstr(r.text, "33"));
	struct buf audit;
	buf_init(&audit, 4000);
	assert_int_equal(io_read_file(auditor, &audit, NULL), 0);
	assert_non_null(memmem(audit.data, audit.len, "\n33\n", 4));
	buf_release(&audit);
	buf_release(&proof);
}

static void test_malformed_messages(void **state)
{
	(void)state;
	struct ledger_head h = head_of(0, 5);
	struct buf q, reply;
	struct cursor c;
	struct prop p = { 12 };
	bool is_signed;
	int audit;
	buf_init(&q, 8192);
	buf_init(&reply, 8192);
	static uint8_t proof[1 + 3 * 32] = { 3 };
	sign_ask_put(&q, &h, 0, proof, sizeof(proof));
	for (size_t n = 0; n < q.len; n++) {
		cur_init(&c, q.data, n);
		assert_int_equal(signer_answer(&sg, origin, &c, &reply, &is_signed, &audit, NULL), FW_EPROTO);
	}
	q.data[48] = 65; /* more hashes than a proof can have */
	cur_init(&c, q.data, q.len);
	assert_int_equal(signer_answer(&sg, origin, &c, &reply, &is_signed, &audit, NULL), FW_EPROTO);
	assert_int_equal(reply.len, 0);
	for (unsigned i = 0; i < prop_rounds(2000); i++) {
		uint8_t bytes[1400];
		struct sign_reply r;
		prop_bytes(&p, bytes, sizeof(bytes));
		bytes[0] &= 3;
		size_t n = prop_below(&p, sizeof(bytes));
		if (n == 9)
			continue; /* the one length at which chance makes a whole one */
		cur_init(&c, bytes, n);
		assert_int_equal(sign_reply_get(&c, &r), FW_EPROTO);
	}
	buf_release(&q);
	buf_release(&reply);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_growth_is_signed_and_nothing_else),
		cmocka_unit_test(test_origins_keep_apart),
		cmocka_unit_test(test_a_head_file_made_by_hand),
		cmocka_unit_test(test_every_file_operation_fails),
		cmocka_unit_test(test_power_cut_at_every_point),
		cmocka_unit_test(test_power_cuts_at_random),
		cmocka_unit_test(test_the_control_run_fails),
		cmocka_unit_test(test_the_auditors_file_is_found_whole_after_a_torn_write),
		cmocka_unit_test(test_messages),
		cmocka_unit_test(test_malformed_messages),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
