/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"

static char folder[] = "/tmp/fairway-io-XXXXXX";

static const char *in_folder(const char *name)
{
	static char path[2][200];
	static int turn;
	turn = !turn;
	(void)snprintf(path[turn], sizeof(path[turn]), "%s/%s", folder, name);
	return path[turn];
}

static void expect_content(const char *path, const char *want)
{
	struct buf b;
	buf_init(&b, 1000);
	assert_int_equal(io_read_file(path, &b, NULL), 0);
	assert_int_equal(b.len, strlen(want));
	assert_memory_equal(b.data, want, b.len);
	buf_release(&b);
}

/* Operations that fail at the n-th call, with the error given. */
static int calls, fail_at, fail_with;

static bool fails(void)
{
	return ++calls == fail_at;
}

static int f_open(const char *p, int f, mode_t m) { return fails() ? fail_with : io_real.open(p, f, m); }
static ssize_t f_write(int fd, const void *p, size_t n) { return fails() ? fail_with : io_real.write(fd, p, n > 3 ? 3 : n); }
static int f_sync(int fd) { return fails() ? fail_with : io_real.sync(fd); }
static int f_close(int fd)
{
	int err = io_real.close(fd);
	return fails() ? fail_with : err;
}
static int f_rename(const char *a, const char *b) { return fails() ? fail_with : io_real.rename(a, b); }
static int f_unlink(const char *p) { return io_real.unlink(p); }
static const struct io_ops failing = { .open = f_open, .write = f_write, .sync = f_sync, .close = f_close,
				       .rename = f_rename, .unlink = f_unlink };

static void test_old_or_new_but_never_a_mixture(void **state)
{
	(void)state;
	const char *path = in_folder("head"), *part = in_folder("head.part");
	for (int n = 1;; n++) {
		assert_int_equal(io_write_file(path, "old", 3, 0600, NULL), 0);
		calls = 0;
		fail_at = n;
		fail_with = -ENOSPC;
		io_set(&failing);
		struct diag d = DIAG_INIT;
		int err = io_write_file(path, "the new text", 12, 0600, &d);
		io_set(NULL);
		if (err == 0) {
			expect_content(path, "the new text");
			if (calls < n)
				break;
			continue; /* the fault fell where it loses nothing: closing the folder */
		}
		assert_int_equal(err, -ENOSPC);
		assert_non_null(strstr(d.text, path));
		struct buf b;
		buf_init(&b, 100);
		assert_int_equal(io_read_file(path, &b, NULL), 0);
		assert_true((b.len == 3 && memcmp(b.data, "old", 3) == 0) ||
			    (b.len == 12 && memcmp(b.data, "the new text", 12) == 0));
		buf_release(&b);
		assert_int_equal(access(part, F_OK), -1);
	}
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void test_create_refuses_what_is_there(void **state)
{
	(void)state;
	const char *path = in_folder("key");
	assert_int_equal(io_create_file(path, "k", 1, 0600, NULL), 0);
	assert_int_equal(io_create_file(path, "other", 5, 0600, NULL), FW_EEXISTS);
	expect_content(path, "k");
	calls = 0;
	fail_at = 2; /* the write, after the file was made */
	fail_with = -EIO;
	io_set(&failing);
	assert_int_equal(io_create_file(in_folder("half"), "abc", 3, 0600, NULL), -EIO);
	io_set(NULL);
	assert_int_equal(access(in_folder("half"), F_OK), -1);
}

static void test_reading_is_bounded(void **state)
{
	(void)state;
	const char *path = in_folder("long");
	assert_int_equal(io_write_file(path, "0123456789", 10, 0600, NULL), 0);
	struct buf b;
	buf_init(&b, 9);
	struct diag d = DIAG_INIT;
	assert_int_equal(io_read_file(path, &b, &d), FW_ELIMIT);
	buf_release(&b);
	buf_init(&b, 9);
	assert_int_equal(io_read_file(in_folder("absent"), &b, NULL), -ENOENT);
	buf_release(&b);
}

static void test_interrupts_are_tried_again(void **state)
{
	(void)state;
	calls = 0;
	fail_at = 2;
	fail_with = -EINTR;
	io_set(&failing);
	assert_int_equal(io_write_file(in_folder("intr"), "abcdefgh", 8, 0600, NULL), 0);
	io_set(NULL);
	expect_content(in_folder("intr"), "abcdefgh");
}

static int set_up(void **state)
{
	(void)state;
	return mkdtemp(folder) == NULL;
}

static int tear_down(void **state)
{
	(void)state;
	static const char *const names[] = { "head", "key", "long", "intr" };
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		(void)unlink(in_folder(names[i]));
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old_or_new_but_never_a_mixture),
		cmocka_unit_test(test_create_refuses_what_is_there),
		cmocka_unit_test(test_reading_is_bounded),
		cmocka_unit_test(test_interrupts_are_tried_again),
	};
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
