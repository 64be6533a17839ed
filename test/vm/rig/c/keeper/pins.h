// Ways that pin the pages below a mapping and outlive it.
#ifndef PINS_H
#define PINS_H
#include "held.h"
#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum { ALL = PLACES * GLIMPSE };

static int splice_places(struct held *held, int pipe, unsigned flags)
{
	for (int place = 0; place < PLACES; place++) {
		// Whole pages, because a gift must be.
		struct iovec page = { held->map + place_offset(held, place), flags & SPLICE_F_GIFT ? PAGE : GLIMPSE };
		if (vmsplice(pipe, &page, 1, flags) < 0)
			return -1;
	}
	return 0;
}

static int keep_in_pipe(struct held *held, unsigned flags)
{
	int ends[2];
	if (pipe(ends) < 0)
		return refused(held, "pipe");
	if (splice_places(held, ends[1], flags) < 0)
		return refused(held, "vmsplice");
	held->own = ends[0];
	held->other = ends[1];
	return KEPT;
}

static int keep_vmsplice(struct held *held)
{
	return keep_in_pipe(held, 0);
}

static int keep_gift(struct held *held)
{
	return keep_in_pipe(held, SPLICE_F_GIFT);
}

// Reads a copy of the pipe, which stays as it is.
static int read_pipe(struct held *held, int place, unsigned char *bytes, size_t stride)
{
	unsigned char all[PLACES * PAGE];
	int copy[2];
	if (pipe(copy) < 0)
		return -1;
	ssize_t count = tee(held->own, copy[1], PLACES * stride, SPLICE_F_NONBLOCK);
	int done = count == (ssize_t)(PLACES * stride) && read(copy[0], all, count) == count;
	close(copy[0]);
	close(copy[1]);
	if (!done)
		return -1;
	memcpy(bytes, all + place * stride, GLIMPSE);
	return 0;
}

static int read_vmsplice(struct held *held, int place, unsigned char *bytes)
{
	return read_pipe(held, place, bytes, GLIMPSE);
}

static int read_gift(struct held *held, int place, unsigned char *bytes)
{
	return read_pipe(held, place, bytes, PAGE);
}

static int keep_tee(struct held *held)
{
	int second[2];
	if (keep_vmsplice(held) != KEPT)
		return REFUSED;
	if (pipe(second) < 0 || tee(held->own, second[1], ALL, 0) != ALL)
		return refused(held, "tee");
	close(held->own);
	close(held->other);
	held->own = second[0];
	held->other = second[1];
	return KEPT;
}

// The pages of a pipe, handed on to the queue of a socket.
static int keep_spliced_socket(struct held *held)
{
	int ends[2];
	if (keep_vmsplice(held) != KEPT)
		return REFUSED;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0)
		return refused(held, "socketpair");
	if (splice(held->own, NULL, ends[1], NULL, ALL, 0) != ALL)
		return refused(held, "splice");
	close(held->own);
	close(held->other);
	held->own = ends[0];
	held->other = ends[1];
	return KEPT;
}

static int read_socket(struct held *held, int place, unsigned char *bytes)
{
	unsigned char all[ALL];
	if (recv(held->own, all, ALL, MSG_PEEK | MSG_DONTWAIT) != ALL)
		return -1;
	memcpy(bytes, all + place * GLIMPSE, GLIMPSE);
	return 0;
}

static int connected(int ends[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t length = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (listener < 0 || ends[0] < 0 || bind(listener, (void *)&address, length) < 0 || listen(listener, 1) < 0
	    || getsockname(listener, (void *)&address, &length) < 0
	    || connect(ends[0], (void *)&address, length) < 0)
		return -1;
	ends[1] = accept(listener, NULL, NULL);
	close(listener);
	return ends[1] < 0 ? -1 : 0;
}

static int keep_zerocopy(struct held *held)
{
	int ends[2], on = 1;
	if (connected(ends) < 0)
		return refused(held, "connect");
	if (setsockopt(ends[0], SOL_SOCKET, SO_ZEROCOPY, &on, sizeof on) < 0)
		return refused(held, "SO_ZEROCOPY");
	for (int place = 0; place < PLACES; place++)
		if (send(ends[0], held->map + place_offset(held, place), GLIMPSE, MSG_ZEROCOPY) != GLIMPSE)
			return refused(held, "send");
	held->own = ends[1];
	held->other = ends[0];
	return KEPT;
}

// Pins pages only while the write is under way, which no file here prolongs.
static int keep_direct_write(struct held *held)
{
	char path[] = "/tmp/direct-XXXXXX";
	int made = mkstemp(path);
	if (made < 0)
		return refused(held, "mkstemp");
	close(made);
	int file = open(path, O_RDWR | O_DIRECT);
	unlink(path);
	if (file < 0)
		return refused(held, "open");
	return write(file, held->map, PAGE) < 0 ? refused(held, "write") : ENDED;
}
#endif
