/* SPDX-License-Identifier: AGPL-3.0-or-later */
/*
 * Load over HTTP for bench/node.
 *
 *     bench_load PORT SECONDS CONNECTIONS < REQUESTS
 *
 * The first lines of REQUESTS are header lines, up to an empty one; each line
 * after it is a path to GET.  Every connection is kept alive and asks for the next
 * path as soon as its answer is whole (a closed loop), so that the rate is what
 * the node gives with that many people asking without a pause.  The first tenth of the
 * time is not counted.
 *
 * One thread over epoll, and no work on an answer but finding its length: its own
 * CPU time is in the result, so that one sees what it took from the node.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/time.h"

enum { CONNECTIONS_MAX = 256, ANSWER_MAX = 16 << 20, INPUT_MAX = 16 << 20, LINE_CAP = 4096, SAMPLES_MAX = 4 << 20 };

struct connection {
	int fd;
	usec_t asked;
	struct buf answer;
	size_t whole; /* bytes of the answer, 0 while its head is not here */
};

static struct buf headers, paths;
static size_t *path_at, npaths, next_path; /* offsets in paths */
static uint32_t *sample;
static size_t nsamples;
static uint64_t bytes, refused;
static usec_t counted_from;

static void die(const char *what)
{
	(void)fprintf(stderr, "bench_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void read_requests(void)
{
	char line[LINE_CAP];
	size_t cap = 0;
	buf_init(&headers, INPUT_MAX);
	buf_init(&paths, INPUT_MAX);
	while (fgets(line, sizeof(line), stdin) != NULL && line[0] != '\n')
		buf_printf(&headers, "%.*s\r\n", (int)strcspn(line, "\n"), line);
	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (npaths == cap) {
			cap = cap == 0 ? 64 : cap * 2;
			path_at = realloc(path_at, cap * sizeof(*path_at));
			if (path_at == NULL)
				die("memory");
		}
		path_at[npaths++] = paths.len;
		buf_put(&paths, line, strcspn(line, "\n"));
		buf_putc(&paths, '\0');
	}
	if (npaths == 0 || buf_failed(&paths) || buf_failed(&headers))
		die("no paths to ask for");
}

static void ask(struct connection *c)
{
	char text[2 * LINE_CAP];
	const char *path = (const char *)paths.data + path_at[next_path++ % npaths];
	int n = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\n%.*s\r\n", path, (int)headers.len,
			 (const char *)headers.data);
	buf_clear(&c->answer);
	c->whole = 0;
	c->asked = time_mono();
	if (n >= (int)sizeof(text) || send(c->fd, text, (size_t)n, MSG_NOSIGNAL) != n)
		die("asking");
}

static void open_connection(struct connection *c, int port, int epoll)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int one = 1;
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = c };
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&to, sizeof(to)) < 0)
		die("connecting");
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &ev) < 0)
		die("epoll");
	buf_init(&c->answer, ANSWER_MAX);
}

/* Bytes of the whole answer once its head is here. */
static size_t length_of(const struct buf *b)
{
	const char *head = (const char *)b->data, *end = memmem(head, b->len, "\r\n\r\n", 4);
	if (end == NULL)
		return 0;
	static const char name[] = "\r\ncontent-length:";
	for (const char *p = head; p < end; p++)
		if (strncasecmp(p, name, sizeof(name) - 1) == 0)
			return (size_t)(end + 4 - head) + (size_t)strtoul(p + sizeof(name) - 1, NULL, 10);
	(void)fprintf(stderr, "bench_load: an answer without a length\n");
	exit(1);
}

/* One answer is whole. */
static void count(struct connection *c)
{
	usec_t now = time_mono();
	if (c->answer.len < 12 || memcmp(c->answer.data, "HTTP/1.1 200", 12) != 0) {
		if (refused++ == 0)
			(void)fprintf(stderr, "bench_load: %.*s\n", (int)(c->answer.len < 2000 ? c->answer.len : 2000), (const char *)c->answer.data);
	}
	if (now < counted_from || nsamples == SAMPLES_MAX)
		return;
	sample[nsamples++] = (uint32_t)(now - c->asked);
	bytes += c->whole;
}

static void serve(struct connection *c)
{
	uint8_t *room = buf_reserve(&c->answer, 65536);
	if (room == NULL)
		die("an answer is too long");
	ssize_t n = recv(c->fd, room, 65536, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0)
		die("the node closed a connection");
	buf_advance(&c->answer, (size_t)n);
	if (c->whole == 0)
		c->whole = length_of(&c->answer);
	if (c->whole == 0 || c->answer.len < c->whole)
		return;
	count(c);
	ask(c);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static void tell(usec_t from, usec_t until)
{
	struct rusage self;
	(void)getrusage(RUSAGE_SELF, &self);
	double seconds = (double)(until - counted_from) / 1e6;
	double cpu = (double)(self.ru_utime.tv_sec + self.ru_stime.tv_sec) + (double)(self.ru_utime.tv_usec + self.ru_stime.tv_usec) / 1e6;
	qsort(sample, nsamples, sizeof(*sample), by_value);
	size_t last = nsamples > 0 ? nsamples - 1 : 0;
	(void)printf("{\"requests\":%zu,\"refused\":%llu,\"per_second\":%.1f,\"p50_us\":%u,\"p90_us\":%u,\"p99_us\":%u,\"max_us\":%u,"
		     "\"bytes_a_request\":%.0f,\"own_cpu_share\":%.3f}\n",
		     nsamples, (unsigned long long)refused, (double)nsamples / seconds, sample[last / 2], sample[last * 90 / 100],
		     sample[last * 99 / 100], sample[last], nsamples > 0 ? (double)bytes / (double)nsamples : 0.0,
		     cpu / ((double)(until - from) / 1e6));
}

int main(int argc, char **argv)
{
	static struct connection c[CONNECTIONS_MAX];
	struct epoll_event ev[CONNECTIONS_MAX];
	int port = argc == 4 ? (int)strtol(argv[1], NULL, 10) : 0;
	double seconds = argc == 4 ? strtod(argv[2], NULL) : 0;
	long n = argc == 4 ? strtol(argv[3], NULL, 10) : 0;
	if (port < 1 || seconds <= 0 || n < 1 || n > CONNECTIONS_MAX) {
		(void)fprintf(stderr, "bench_load PORT SECONDS CONNECTIONS < REQUESTS\n");
		return 2;
	}
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	sample = calloc(SAMPLES_MAX, sizeof(*sample));
	if (epoll < 0 || sample == NULL)
		die("starting");
	read_requests();
	usec_t from = time_mono(), until = from + (usec_t)(seconds * 1e6);
	counted_from = from + (usec_t)(seconds * 1e5);
	for (long i = 0; i < n; i++) {
		open_connection(&c[i], port, epoll);
		ask(&c[i]);
	}
	while (time_mono() < until) {
		int ready = epoll_wait(epoll, ev, CONNECTIONS_MAX, 100);
		for (int i = 0; i < ready; i++)
			serve(ev[i].data.ptr);
	}
	tell(from, time_mono());
	return 0;
}
