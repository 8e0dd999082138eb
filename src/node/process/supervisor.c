/* SPDX-License-Identifier: AGPL-3.0-or-later */
#include "node/process/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/log.h"
#include "base/time.h"
#include "gen/tables.h"
#include "node/process/spawn.h"

enum {
	READERS_MAX = 16,
	WAIT_FIRST_MS = 100,
	WAIT_LAST_MS = 10000,
	LIVED_MS = 30000,   /* after which the wait falls back to the first */
	STILLBORN_MAX = 5,  /* deaths before the first READY that end the node */
	STOP_MS = 7000,     /* for those of a step to end after STOP; the front waits five seconds for its clients */
	LOCK_WAIT_MS = 3000,
	REJOIN_MS = 1000,   /* two who break with each other are joined again no more often */
};

struct child {
	pid_t pid; /* 0: not running */
	struct chan chan;
	bool ready, ever_ready;
	usec_t started, start_at; /* monotonic; start_at: when to start again */
	unsigned wait_ms, stillborn;
};

struct reader {
	pid_t pid; /* 0: free */
	enum proc of;
	uint64_t tag; /* of its READER_WANT */
};

/* Started in this order, ended by steps; each pair of the second table is joined. */
static const enum proc order[] = { PROC_KEEPER,	     PROC_HOUSE,      PROC_STRATEGIC,
				   PROC_OPERATIONAL, PROC_PROTECTION, PROC_FRONT };
static const unsigned step_of[PROC_COUNT] = { [PROC_FRONT] = 1,	      [PROC_HOUSE] = 2,	     [PROC_STRATEGIC] = 2,
					      [PROC_OPERATIONAL] = 2, [PROC_PROTECTION] = 2, [PROC_KEEPER] = 3 };
enum { LAST_STEP = 3 };
static const struct {
	enum proc a, b;
} edges[] = {
	{ PROC_FRONT, PROC_HOUSE },	      { PROC_FRONT, PROC_STRATEGIC },
	{ PROC_FRONT, PROC_OPERATIONAL },     { PROC_FRONT, PROC_PROTECTION },
	{ PROC_STRATEGIC, PROC_HOUSE },	      { PROC_OPERATIONAL, PROC_HOUSE },
	{ PROC_PROTECTION, PROC_HOUSE },      { PROC_KEEPER, PROC_HOUSE },
	{ PROC_KEEPER, PROC_STRATEGIC },      { PROC_KEEPER, PROC_OPERATIONAL },
	{ PROC_KEEPER, PROC_PROTECTION },     { PROC_STRATEGIC, PROC_OPERATIONAL },
	{ PROC_STRATEGIC, PROC_PROTECTION },  { PROC_OPERATIONAL, PROC_PROTECTION },
};
enum { ORDER = sizeof(order) / sizeof(*order), EDGES = sizeof(edges) / sizeof(*edges) };

struct supervisor {
	const struct supervisor_config *cfg;
	struct child child[PROC_COUNT];
	struct reader reader[READERS_MAX];
	usec_t joined[EDGES]; /* monotonic: the last time */
	int signals;
	bool told_ready;
	unsigned step; /* of the end; 0: serving */
	usec_t step_until;
	int fatal; /* error that ends the node */
	struct diag *reterr;
};

void notify_manager(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, strlen(path) + 1);
	if (to.sun_path[0] == '@')
		to.sun_path[0] = '\0';
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&to, n);
	(void)close(fd);
}

/* ---- channels ---- */

/* One end of a pair to ${p}: it may speak to ${other} by it. */
static int give_end(struct supervisor *s, enum proc p, enum proc other, int fd)
{
	uint8_t who = (uint8_t)other;
	return chan_send_fd(&s->child[p].chan, MSG_PEER, 0, &who, 1, fd);
}

static void join(struct supervisor *s, size_t edge)
{
	enum proc a = edges[edge].a, b = edges[edge].b;
	int fds[2];
	if (s->child[a].pid == 0 || s->child[b].pid == 0 || socket_pair(fds, NULL) != 0)
		return;
	s->joined[edge] = time_mono();
	/* A child that cannot take it is dying; its next life is joined anew. */
	(void)give_end(s, a, b, fds[0]);
	(void)give_end(s, b, a, fds[1]);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void join_all(struct supervisor *s, enum proc p)
{
	for (size_t i = 0; i < EDGES; i++)
		if (edges[i].a == p || edges[i].b == p)
			join(s, i);
}

/* ${a} has no channel to ${b} any more, and asks for one; it asks again if it is too early. */
static void rejoin(struct supervisor *s, enum proc a, enum proc b)
{
	for (size_t i = 0; i < EDGES; i++) {
		bool this = (edges[i].a == a && edges[i].b == b) || (edges[i].a == b && edges[i].b == a);
		if (!this || edges[i].a == PROC_KEEPER || s->child[edges[i].a].pid == 0 || s->child[edges[i].b].pid == 0 ||
		    time_mono() - s->joined[i] < REJOIN_MS * INT64_C(1000))
			continue;
		log_line(LOG_L_ERROR, "process.rejoin", "%s has lost its channel to %s, which lives: a new one is made",
			 proc_name(a), proc_name(b));
		join(s, i);
	}
}

/* ---- children ---- */

static int send_boot(struct child *c, const struct wire_boot *boot)
{
	struct buf b;
	buf_init(&b, 65536);
	wire_boot_put(&b, boot);
	int err = buf_failed(&b) ? b.error : chan_send(&c->chan, MSG_BOOT, 0, b.data, b.len);
	buf_release(&b);
	return err != 0 ? err : chan_flush(&c->chan);
}

/* What a child gets as descriptor 4; -1 for nothing. *ret_own: to be closed after the start. */
static int extra_of(const struct supervisor *s, enum proc p, bool *ret_own)
{
	*ret_own = p == PROC_KEEPER;
	return p == PROC_FRONT	? s->cfg->listen_fd :
	       p == PROC_KEEPER ? io_open(s->cfg->key_path, O_RDONLY | O_NOFOLLOW, 0) :
				  -1;
}

static int spawn_process(struct supervisor *s, enum proc p, int control)
{
	const struct supervisor_child *cfg = &s->cfg->child[p];
	char title[40];
	bool own;
	int extra = extra_of(s, p, &own);
	(void)snprintf(title, sizeof(title), "fairway: %s", proc_name(p));
	struct spawn sp = { .args = { "--process", proc_name(p) }, .title = title,
			    .fds = { control, extra, s->cfg->lock_fd }, .uid = cfg->uid, .gid = cfg->gid };
	int err = own && extra < 0 ? diag_set(s->reterr, extra, "cannot open %s: %s", s->cfg->key_path, err_text(extra)) :
				     spawn_child(&sp, &s->child[p].pid, NULL);
	if (own)
		(void)io_close(extra);
	return err;
}

static int start(struct supervisor *s, enum proc p)
{
	struct child *c = &s->child[p];
	int fds[2];
	int err = socket_pair(fds, NULL);
	if (err != 0)
		return err;
	err = spawn_process(s, p, fds[1]);
	(void)close(fds[1]);
	if (err != 0) {
		(void)close(fds[0]);
		c->pid = 0;
		return err;
	}
	chan_init(&c->chan, fds[0], PROC_SUPERVISOR, p, true);
	c->ready = false;
	c->started = time_mono();
	if (send_boot(c, &s->cfg->child[p].boot) == 0) /* else it ends, and is started again */
		join_all(s, p);
	log_line(LOG_L_INFO, "process.start", "%s is process %d", proc_name(p), (int)c->pid);
	return 0;
}

static void start_due(struct supervisor *s)
{
	usec_t now = time_mono();
	for (size_t i = 0; i < ORDER && s->step == 0; i++) {
		struct child *c = &s->child[order[i]];
		if (c->pid != 0 || c->start_at > now)
			continue;
		int err = start(s, order[i]);
		if (err != 0) {
			log_line(LOG_L_ERROR, "process.start", "%s cannot be started: %s", proc_name(order[i]), err_text(err));
			c->start_at = now + WAIT_LAST_MS * INT64_C(1000);
		}
	}
}

static void told_cause(int status, char *out, size_t cap)
{
	if (WIFSIGNALED(status))
		(void)snprintf(out, cap, "signal %d%s", WTERMSIG(status),
			       WTERMSIG(status) == SIGSYS ? " (a system call that its walls forbid)" : "");
	else
		(void)snprintf(out, cap, "exit status %d", WEXITSTATUS(status));
}

/* ---- readers ---- */

static struct reader *free_reader(struct supervisor *s)
{
	unsigned max = s->cfg->readers < READERS_MAX ? s->cfg->readers : READERS_MAX;
	for (size_t i = 0; i < max; i++)
		if (s->reader[i].pid == 0)
			return &s->reader[i];
	return NULL;
}

static int start_reader(struct supervisor *s, struct reader *r, enum proc of, uint64_t tag)
{
	const struct supervisor_child *cfg = &s->cfg->child[PROC_READER];
	int fds[2];
	int err = socket_pair(fds, NULL);
	if (err != 0)
		return err;
	struct spawn sp = { .args = { "--process", "reader", proc_name(of) }, .title = "fairway: reader",
			    .fds = { fds[1], -1, -1 }, .uid = cfg->uid, .gid = cfg->gid,
			    .memory = s->cfg->reader_memory };
	err = spawn_child(&sp, &r->pid, NULL);
	if (err != 0)
		r->pid = 0;
	else
		err = chan_send_fd(&s->child[of].chan, MSG_READER, tag, NULL, 0, fds[0]);
	(void)close(fds[0]); /* if the worker did not get it, the reader sees the end and ends */
	(void)close(fds[1]);
	r->of = of;
	r->tag = tag;
	return err;
}

static void reader_wanted(struct supervisor *s, enum proc of, uint64_t tag)
{
	struct reader *r = s->step == 0 ? free_reader(s) : NULL;
	if (r == NULL || start_reader(s, r, of, tag) != 0)
		(void)chan_send(&s->child[of].chan, MSG_READER_NONE, tag, NULL, 0);
}

/* Its worker is done with it: if it has not ended by itself, it hangs. */
static void reader_dropped(struct supervisor *s, enum proc of, uint64_t tag)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		if (s->reader[i].pid != 0 && s->reader[i].of == of && s->reader[i].tag == tag)
			(void)kill(s->reader[i].pid, SIGKILL);
}

static void end_readers_of(struct supervisor *s, enum proc of)
{
	for (size_t i = 0; i < READERS_MAX; i++)
		if (s->reader[i].pid != 0 && s->reader[i].of == of)
			(void)kill(s->reader[i].pid, SIGKILL);
}

static void reader_died(struct reader *r, int status)
{
	char cause[80];
	told_cause(status, cause, sizeof(cause));
	bool dropped = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (status != 0)
		log_line(dropped ? LOG_L_INFO : LOG_L_ERROR, "reader.death", "a reader of %s ended: %s",
			 proc_name(r->of), cause);
	r->pid = 0;
}

static void child_died(struct supervisor *s, enum proc p, int status)
{
	struct child *c = &s->child[p];
	char cause[80];
	told_cause(status, cause, sizeof(cause));
	bool lived = time_mono() - c->started > LIVED_MS * INT64_C(1000);
	if (c->wait_ms == 0 || lived)
		c->wait_ms = WAIT_FIRST_MS;
	else if ((c->wait_ms *= 2) > WAIT_LAST_MS)
		c->wait_ms = WAIT_LAST_MS;
	c->stillborn = c->ever_ready ? 0 : c->stillborn + 1;
	chan_close(&c->chan);
	c->pid = 0;
	c->ready = false;
	c->start_at = time_mono() + c->wait_ms * INT64_C(1000);
	end_readers_of(s, p);
	if (s->step != 0)
		return;
	log_line(LOG_L_ERROR, "process.death", "%s ended: %s; started again in %u ms", proc_name(p), cause,
		 c->wait_ms);
	if (c->stillborn >= STILLBORN_MAX)
		s->fatal = diag_set(s->reterr, FW_EGONE,
				    "the process \"%s\" cannot start (%s); its reason stands in the log above",
				    proc_name(p), cause);
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;
	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (size_t i = 0; i < PROC_COUNT; i++)
			if (s->child[i].pid == pid)
				child_died(s, (enum proc)i, status);
		for (size_t i = 0; i < READERS_MAX; i++)
			if (s->reader[i].pid == pid)
				reader_died(&s->reader[i], status);
	}
}

/* ---- messages ---- */

static bool all_ready(const struct supervisor *s)
{
	for (size_t i = 0; i < ORDER; i++)
		if (!s->child[order[i]].ready)
			return false;
	return true;
}

static void became_ready(struct supervisor *s, enum proc p)
{
	s->child[p].ready = s->child[p].ever_ready = true;
	if (s->told_ready || !all_ready(s))
		return;
	s->told_ready = true;
	notify_manager("READY=1");
	log_line(LOG_L_INFO, "node.ready", "every process is ready");
	if (s->cfg->on_ready != NULL)
		s->cfg->on_ready(s->cfg->arg);
}

static void take_message(struct supervisor *s, enum proc p, struct message *m)
{
	switch (m->type) {
	case MSG_READY:
		became_ready(s, p);
		break;
	case MSG_REJOIN:
		rejoin(s, p, (enum proc)cur_u8(&m->body));
		break;
	case MSG_READER_WANT:
		reader_wanted(s, p, m->tag);
		break;
	case MSG_READER_DROP:
		reader_dropped(s, p, m->tag);
		break;
	default:
		break;
	}
}

static void hear(struct supervisor *s, enum proc p)
{
	struct chan *c = &s->child[p].chan;
	struct message m;
	int filled = chan_fill(c), got;
	while ((got = chan_next(c, &m)) == 1)
		take_message(s, p, &m);
	if (got == FW_EPROTO) {
		log_line(LOG_L_ERROR, "process.protocol", "%s broke the protocol and is ended", proc_name(p));
		(void)kill(s->child[p].pid, SIGKILL);
	}
	if (got < 0 || filled != 0)
		chan_close(c); /* its death follows as a signal */
}

/* ---- the end ---- */

static bool any_of_step(const struct supervisor *s, unsigned step)
{
	for (size_t i = 0; i < ORDER; i++)
		if (s->child[order[i]].pid != 0 && step_of[order[i]] <= step)
			return true;
	return false;
}

static void begin_step(struct supervisor *s)
{
	s->step++;
	s->step_until = time_mono() + STOP_MS * INT64_C(1000);
	for (size_t i = 0; i < ORDER; i++) {
		struct child *c = &s->child[order[i]];
		if (c->pid != 0 && step_of[order[i]] == s->step && chan_send(&c->chan, MSG_STOP, 0, NULL, 0) == 0)
			(void)chan_flush(&c->chan);
	}
}

static void begin_stop(struct supervisor *s)
{
	if (s->step != 0)
		return;
	notify_manager("STOPPING=1");
	log_line(LOG_L_INFO, "node.stop", "the node ends");
	begin_step(s);
}

static void go_on_stopping(struct supervisor *s)
{
	if (s->step == 0)
		return;
	while (s->step < LAST_STEP && !any_of_step(s, s->step))
		begin_step(s);
	if (time_mono() < s->step_until)
		return;
	for (size_t i = 0; i < ORDER; i++)
		if (s->child[order[i]].pid != 0 && step_of[order[i]] <= s->step)
			(void)kill(s->child[order[i]].pid, SIGKILL);
}

static void take_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;
	while (read(s->signals, &info, sizeof(info)) == sizeof(info))
		if (info.ssi_signo == SIGTERM || info.ssi_signo == SIGINT)
			begin_stop(s);
	reap(s);
}

/* How long to sleep: until the next start, reader's end or kill; a second at most. */
static int sleep_ms(const struct supervisor *s)
{
	usec_t now = time_mono(), next = now + USEC_PER_SEC;
	for (size_t i = 0; i < ORDER; i++)
		if (s->child[order[i]].pid == 0 && s->child[order[i]].start_at < next)
			next = s->child[order[i]].start_at;
	return next <= now ? 0 : (int)((next - now) / 1000) + 1;
}

static void turn(struct supervisor *s)
{
	struct pollfd fds[ORDER + 1] = { { .fd = s->signals, .events = POLLIN } };
	for (size_t i = 0; i < ORDER; i++) {
		const struct chan *c = &s->child[order[i]].chan;
		bool open = s->child[order[i]].pid != 0 && chan_open(c);
		fds[i + 1] = (struct pollfd){ .fd = open ? c->fd : -1,
					      .events = (short)(POLLIN | (open && chan_waiting(c) ? POLLOUT : 0)) };
	}
	if (poll(fds, ORDER + 1, s->step != 0 ? 100 : sleep_ms(s)) < 0 && errno != EINTR)
		return;
	for (size_t i = 0; i < ORDER; i++) {
		if (fds[i + 1].revents & POLLOUT)
			(void)chan_flush(&s->child[order[i]].chan);
		if (fds[i + 1].revents & (POLLIN | POLLHUP | POLLERR))
			hear(s, order[i]);
	}
	take_signals(s);
	go_on_stopping(s);
}

int supervisor_lock(const char *folder, int *ret_fd, struct diag *reterr)
{
	char path[4096];
	int n = snprintf(path, sizeof(path), "%s/lock", folder);
	if (n < 0 || (size_t)n >= sizeof(path))
		return diag_set(reterr, -ENAMETOOLONG, "the folder's path is too long");
	int fd = io_open(path, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
	if (fd < 0)
		return diag_set(reterr, fd, "cannot open %s: %s", path, err_text(fd));
	usec_t until = time_mono() + LOCK_WAIT_MS * INT64_C(1000);
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (time_mono() > until) {
			(void)close(fd);
			return diag_set(reterr, FW_EBUSY, "the node in %s is running", folder);
		}
		(void)poll(NULL, 0, 20);
	}
	*ret_fd = fd;
	return 0;
}

static int open_signals(struct supervisor *s)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	(void)signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
		return diag_set(s->reterr, -errno, "cannot block signals");
	s->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return s->signals < 0 ? diag_set(s->reterr, -errno, "no signal descriptor") : 0;
}

int supervisor_run(const struct supervisor_config *cfg, struct diag *reterr)
{
	struct supervisor s = { .cfg = cfg, .signals = -1, .reterr = reterr };
	for (size_t i = 0; i < PROC_COUNT; i++)
		s.child[i].chan.fd = s.child[i].chan.pending_fd = -1;
	int err = open_signals(&s);
	while (err == 0 && (s.step == 0 || any_of_step(&s, LAST_STEP))) {
		start_due(&s);
		turn(&s);
		if (s.fatal != 0)
			begin_stop(&s);
	}
	if (s.signals >= 0)
		(void)close(s.signals);
	(void)io_close(cfg->lock_fd);
	(void)io_close(cfg->listen_fd);
	return err != 0 ? err : s.fatal;
}
