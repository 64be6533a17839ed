// What a way of keeping a buffer works with, and what it answers.
#ifndef HELD_H
#define HELD_H
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PLACES = 3, GLIMPSE = 64, PAGE = 4096 };
// What a way answers when the kernel did as it was told and nothing was left of it.
enum { KEPT = 0, REFUSED = -1, ENDED = 1 };

struct held {
	// The buffer and a mapping of it; both are let go when the way has what it wants.
	int fd;
	unsigned char *map;
	size_t size;
	// The card or camera that the way uses, where it uses one.
	const char *node;
	// What the way itself has.
	int own, other;
	uint32_t handle;
	pid_t child;
	unsigned char *kept;
	// The call that was refused, and its errno.
	const char *call;
	int error;
};

struct way {
	const char *name;
	int (*keep)(struct held *);
	// Of the bytes at a place; 0 when it can be done. Absent where no way leads to the bytes.
	int (*read)(struct held *, int place, unsigned char *bytes);
	int (*write)(struct held *, int place, const unsigned char *bytes);
};

static inline size_t place_offset(const struct held *held, int place)
{
	size_t offsets[PLACES] = { 0, held->size / 2, held->size - PAGE };
	return offsets[place];
}

static inline int refused(struct held *held, const char *call)
{
	held->error = errno;
	held->call = call;
	return REFUSED;
}

static inline unsigned char *map_whole(int fd, size_t size, off_t offset)
{
	void *map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	return map == MAP_FAILED ? NULL : map;
}

static inline int read_kept(struct held *held, int place, unsigned char *bytes)
{
	memcpy(bytes, held->kept + place_offset(held, place), GLIMPSE);
	return 0;
}

static inline int write_kept(struct held *held, int place, const unsigned char *bytes)
{
	memcpy(held->kept + place_offset(held, place), bytes, GLIMPSE);
	return 0;
}

// Reads from or writes to a buffer by a descriptor of it, which is closed.
static inline int touch_fd(struct held *held, int fd, int place, unsigned char *to, const unsigned char *from)
{
	if (fd < 0)
		return -1;
	unsigned char *map = map_whole(fd, held->size, 0);
	close(fd);
	if (map == NULL)
		return -1;
	unsigned char *bytes = map + place_offset(held, place);
	if (to != NULL)
		memcpy(to, bytes, GLIMPSE);
	if (from != NULL)
		memcpy(bytes, from, GLIMPSE);
	return munmap(map, held->size);
}

// A child that ends with its parent; returns as fork does, in the parent once that is seen to.
static inline pid_t fork_bound(void)
{
	int ready[2];
	char byte = 0;
	if (pipe(ready) < 0)
		return -1;
	pid_t child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		byte = write(ready[1], &byte, 1) == 1;
	} else if (child > 0) {
		byte = read(ready[0], &byte, 1) == 1;
	}
	close(ready[0]);
	close(ready[1]);
	return child;
}
#endif
