// What an io_uring keeps: pages as a registered buffer, and the file as a registered file.
#ifndef IO_URING_H
#define IO_URING_H
#include "held.h"
#include <linux/io_uring.h>
#include <sys/uio.h>

static struct {
	unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *ends;
} ring;

static int open_ring(struct held *held)
{
	struct io_uring_params params = { 0 };
	held->own = syscall(SYS_io_uring_setup, 4, &params);
	if (held->own < 0)
		return refused(held, "io_uring_setup");
	// Both queues are in one mapping since Linux 5.4 (IORING_FEAT_SINGLE_MMAP).
	size_t submissions = params.sq_off.array + params.sq_entries * sizeof(unsigned);
	size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
	size_t size = submissions > completions ? submissions : completions;
	char *queues = (char *)map_whole(held->own, size, IORING_OFF_SQ_RING);
	void *entries = map_whole(held->own, params.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	if (queues == NULL || entries == NULL)
		return refused(held, "mmap");
	ring.sq_tail = (unsigned *)(queues + params.sq_off.tail);
	ring.sq_mask = (unsigned *)(queues + params.sq_off.ring_mask);
	ring.sq_array = (unsigned *)(queues + params.sq_off.array);
	ring.cq_head = (unsigned *)(queues + params.cq_off.head);
	ring.cq_tail = (unsigned *)(queues + params.cq_off.tail);
	ring.cq_mask = (unsigned *)(queues + params.cq_off.ring_mask);
	ring.entries = entries;
	ring.ends = (void *)(queues + params.cq_off.cqes);
	return KEPT;
}

// Hands the kernel one entry and waits for its end. Returns what the entry returned.
static int complete(int fd, const struct io_uring_sqe *entry)
{
	unsigned index = *ring.sq_tail & *ring.sq_mask;
	ring.entries[index] = *entry;
	ring.sq_array[index] = index;
	__atomic_store_n(ring.sq_tail, *ring.sq_tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		return -1;
	unsigned head = *ring.cq_head;
	if (head == __atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE))
		return -1;
	int result = ring.ends[head & *ring.cq_mask].res;
	__atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
	return result;
}

static int keep_fixed_buffer(struct held *held)
{
	if (open_ring(held) != KEPT)
		return REFUSED;
	struct iovec whole = { held->map, held->size };
	if (syscall(SYS_io_uring_register, held->own, IORING_REGISTER_BUFFERS, &whole, 1) < 0)
		return refused(held, "IORING_REGISTER_BUFFERS");
	// The buffer is named by the address that it had, mapped or not.
	held->kept = held->map;
	held->other = memfd_create("bytes", MFD_CLOEXEC);
	return held->other < 0 ? refused(held, "memfd_create") : KEPT;
}

static int move_fixed(struct held *held, int operation, int place)
{
	struct io_uring_sqe entry = {
		.opcode = operation,
		.fd = held->other,
		.addr = (uintptr_t)held->kept + place_offset(held, place),
		.len = GLIMPSE,
		.buf_index = 0,
	};
	return complete(held->own, &entry) == GLIMPSE ? 0 : -1;
}

static int read_fixed(struct held *held, int place, unsigned char *bytes)
{
	if (move_fixed(held, IORING_OP_WRITE_FIXED, place) < 0)
		return -1;
	return pread(held->other, bytes, GLIMPSE, 0) == GLIMPSE ? 0 : -1;
}

static int write_fixed(struct held *held, int place, const unsigned char *bytes)
{
	if (pwrite(held->other, bytes, GLIMPSE, 0) != GLIMPSE)
		return -1;
	return move_fixed(held, IORING_OP_READ_FIXED, place);
}

static int keep_fixed_file(struct held *held)
{
	if (open_ring(held) != KEPT)
		return REFUSED;
	if (syscall(SYS_io_uring_register, held->own, IORING_REGISTER_FILES, &held->fd, 1) < 0)
		return refused(held, "IORING_REGISTER_FILES");
	return KEPT;
}
#endif
