/* SPDX-License-Identifier: MIT
 * An answer to Allocate: oa{sv}ah. */
#include "private.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void close_all(int *fds, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int64_t bytes_behind(int fd)
{
	struct stat status;
	if (fstat(fd, &status) < 0)
		return -1;
	if (S_ISREG(status.st_mode)) /* a memfd: its position stays where it is */
		return status.st_size;
	const off_t end = lseek(fd, 0, SEEK_END); /* a dma-buf has no other way to tell */
	return end >= 0 && lseek(fd, 0, SEEK_SET) == 0 ? end : -1;
}

/* What is mapped beyond its end is a SIGBUS. */
static bool holds(int fd, uint64_t size)
{
	const int64_t end = bytes_behind(fd);
	return end >= 0 && (uint64_t)end >= size;
}

static int read_fds(sd_bus_message *m, struct allocate_reply *got)
{
	int theirs[MAX_BUFFERS_PER_CALL];
	int fd;
	int r = sd_bus_message_enter_container(m, 'a', "h");
	if (r < 0)
		return r;
	while ((r = sd_bus_message_read(m, "h", &fd)) > 0) {
		if (got->n == MAX_BUFFERS_PER_CALL || !holds(fd, got->layout.layout.size))
			return -EBADMSG;
		for (uint32_t i = 0; i < got->n; i++)
			if (theirs[i] == fd)
				return -EBADMSG;
		const int ours = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		if (ours < 0)
			return -errno;
		theirs[got->n] = fd;
		got->fds[got->n++] = ours;
	}
	return r < 0 ? r : sd_bus_message_exit_container(m);
}

int read_allocate(sd_bus_message *reply, const struct dmabroker_request *request, struct allocate_reply *got)
{
	int r;
	memset(got, 0, sizeof *got);
	if (sd_bus_message_has_signature(reply, "oa{sv}ah") <= 0)
		return -EBADMSG;
	if ((r = sd_bus_message_read(reply, "o", &got->path)) < 0)
		return r;
	if ((r = read_layout(reply, request, &got->layout)) < 0)
		return r;
	r = read_fds(reply, got);
	if (r >= 0 && (got->n == 0 || got->n != got->layout.count))
		r = -EBADMSG;
	if (r < 0) {
		close_all(got->fds, got->n);
		got->n = 0;
	}
	return r < 0 ? r : 0;
}
