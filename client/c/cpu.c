/* SPDX-License-Identifier: MIT
 * Access by the CPU. */
#include "private.h"

#include <linux/dma-buf.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

static bool is_access(uint32_t cpu)
{
	return cpu != 0 && (cpu & ~(uint32_t)(DMABROKER_CPU_READ | DMABROKER_CPU_WRITE)) == 0;
}

/* Whether the memory is known to be smaller than so many bytes: beyond its end every access is a SIGBUS. */
static bool is_smaller(int fd, uint64_t size)
{
	const int64_t end = bytes_behind(fd); /* mmap() has the errno where it does not tell */
	return end >= 0 && (uint64_t)end < size;
}

int dmabroker_map(int fd, uint64_t size, uint32_t cpu, void **data)
{
	if (data == NULL)
		return -EINVAL;
	*data = NULL;
	if (fd < 0 || size == 0 || size > SIZE_MAX || !is_access(cpu) || is_smaller(fd, size))
		return -EINVAL;
	/* What is written is also read: a pixel at a time, and on some machines by the hardware. */
	const int protection = (cpu & DMABROKER_CPU_WRITE) != 0 ? PROT_READ | PROT_WRITE : PROT_READ;
	void *mapped = mmap(NULL, (size_t)size, protection, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	*data = mapped;
	return 0;
}

void dmabroker_unmap(void *data, uint64_t size)
{
	if (data != NULL && size > 0 && size <= SIZE_MAX)
		munmap(data, (size_t)size);
}

static int sync_cpu(int fd, uint32_t cpu, uint64_t when)
{
	if (fd < 0 || !is_access(cpu))
		return -EINVAL;
	const uint64_t read = (cpu & DMABROKER_CPU_READ) != 0 ? DMA_BUF_SYNC_READ : 0;
	const uint64_t write = (cpu & DMABROKER_CPU_WRITE) != 0 ? DMA_BUF_SYNC_WRITE : 0;
	const struct dma_buf_sync sync = { .flags = when | read | write };
	int r;
	do
		r = ioctl(fd, DMA_BUF_IOCTL_SYNC, &sync);
	while (r < 0 && (errno == EINTR || errno == EAGAIN));
	return r < 0 ? -errno : 0;
}

int dmabroker_cpu_begin(int fd, uint32_t cpu)
{
	return sync_cpu(fd, cpu, DMA_BUF_SYNC_START);
}

int dmabroker_cpu_end(int fd, uint32_t cpu)
{
	return sync_cpu(fd, cpu, DMA_BUF_SYNC_END);
}
