// Ways that keep a reference to the dma-buf's file, or only something beside it.
#ifndef REFERENCES_H
#define REFERENCES_H
#include "held.h"
#include <linux/dma-buf.h>
#include <linux/userfaultfd.h>
#include <sys/epoll.h>
#include <sys/socket.h>

static int keep_open(struct held *held)
{
	held->own = dup(held->fd);
	return held->own < 0 ? refused(held, "dup") : KEPT;
}

static int read_open(struct held *held, int place, unsigned char *bytes)
{
	return touch_fd(held, dup(held->own), place, bytes, NULL);
}

static int write_open(struct held *held, int place, const unsigned char *bytes)
{
	return touch_fd(held, dup(held->own), place, NULL, bytes);
}

// A file description of its own, which a lease or a count of the first would not show.
static int keep_reopened(struct held *held)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/fd/%d", held->fd);
	held->own = open(path, O_RDWR | O_CLOEXEC);
	return held->own < 0 ? refused(held, "open") : KEPT;
}

static int keep_mapping(struct held *held)
{
	held->kept = map_whole(held->fd, held->size, 0);
	return held->kept == NULL ? refused(held, "mmap") : KEPT;
}

static int keep_mremap(struct held *held)
{
	// A length of 0 makes a second mapping of shared pages (mremap(2)).
	void *map = mremap(held->map, 0, held->size, MREMAP_MAYMOVE);
	if (map == MAP_FAILED)
		return refused(held, "mremap");
	held->kept = map;
	return KEPT;
}

static int keep_remap_file_pages(struct held *held)
{
	if (keep_mapping(held) != KEPT)
		return REFUSED;
	return remap_file_pages(held->kept, held->size, 0, 0, 0) < 0 ? refused(held, "remap_file_pages") : KEPT;
}

// What is asked of the pages must not outlive the mapping.
static int keep_madvise(struct held *held)
{
	if (madvise(held->map, held->size, MADV_DONTFORK) < 0)
		return refused(held, "MADV_DONTFORK");
	madvise(held->map, held->size, MADV_HUGEPAGE);
	madvise(held->map, held->size, MADV_MERGEABLE);
	return mlock(held->map, held->size) < 0 ? refused(held, "mlock") : ENDED;
}

static int keep_pageout(struct held *held)
{
	return madvise(held->map, held->size, MADV_PAGEOUT) < 0 ? refused(held, "MADV_PAGEOUT") : ENDED;
}

static int keep_map_files(struct held *held)
{
	char path[96];
	unsigned long start = (unsigned long)held->map;
	snprintf(path, sizeof path, "/proc/self/map_files/%lx-%lx", start, start + held->size);
	held->own = open(path, O_RDWR | O_CLOEXEC);
	return held->own < 0 ? refused(held, "open") : KEPT;
}

static int keep_userfaultfd(struct held *held)
{
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	if (fd < 0)
		return refused(held, "userfaultfd");
	struct uffdio_api api = { .api = UFFD_API };
	if (ioctl(fd, UFFDIO_API, &api) < 0)
		return refused(held, "UFFDIO_API");
	struct uffdio_register range = {
		.range = { (uintptr_t)held->map, held->size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	return ioctl(fd, UFFDIO_REGISTER, &range) < 0 ? refused(held, "UFFDIO_REGISTER") : KEPT;
}

static int send_fds(int socket, const int *fds, int count)
{
	char byte = 0;
	struct iovec text = { &byte, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(2 * sizeof(int))];
	} control = { 0 };
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	control.header = (struct cmsghdr){
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS,
		.cmsg_len = CMSG_LEN(count * sizeof(int)),
	};
	memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
	return sendmsg(socket, &message, 0);
}

static int keep_scm(struct held *held)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0)
		return refused(held, "socketpair");
	if (send_fds(ends[0], &held->fd, 1) < 0)
		return refused(held, "sendmsg");
	close(ends[0]);
	held->own = ends[1];
	return KEPT;
}

// Looks at what is queued, which makes a descriptor and leaves the queue as it is.
static int peeked_fd(struct held *held)
{
	char byte;
	struct iovec text = { &byte, 1 };
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr message = {
		.msg_iov = &text,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control,
	};
	int fd = -1;
	if (recvmsg(held->own, &message, MSG_PEEK) == 1 && message.msg_controllen >= CMSG_LEN(sizeof fd))
		memcpy(&fd, CMSG_DATA(&control.header), sizeof fd);
	return fd;
}

static int read_scm(struct held *held, int place, unsigned char *bytes)
{
	return touch_fd(held, peeked_fd(held), place, bytes, NULL);
}

static int write_scm(struct held *held, int place, const unsigned char *bytes)
{
	return touch_fd(held, peeked_fd(held), place, NULL, bytes);
}

// Queued in a socket that is queued in itself: only the kernel's collector of such sockets ends that.
static int keep_scm_cycle(struct held *held)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) < 0)
		return refused(held, "socketpair");
	int both[] = { held->fd, ends[1] };
	if (send_fds(ends[0], both, 2) < 0)
		return refused(held, "sendmsg");
	close(ends[0]);
	close(ends[1]);
	return KEPT;
}

static int keep_epoll(struct held *held)
{
	held->own = epoll_create1(EPOLL_CLOEXEC);
	if (held->own < 0)
		return refused(held, "epoll_create1");
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT };
	return epoll_ctl(held->own, EPOLL_CTL_ADD, held->fd, &event) < 0 ? refused(held, "epoll_ctl") : KEPT;
}

static int keep_sync_file(struct held *held)
{
	struct dma_buf_export_sync_file fence = { .flags = DMA_BUF_SYNC_RW, .fd = -1 };
	if (ioctl(held->fd, DMA_BUF_IOCTL_EXPORT_SYNC_FILE, &fence) < 0)
		return refused(held, "DMA_BUF_IOCTL_EXPORT_SYNC_FILE");
	held->own = fence.fd;
	return KEPT;
}
#endif
