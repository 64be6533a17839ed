/* SPDX-License-Identifier: MIT
 *
 * libdmabroker: asks org.dmabroker1 for dma-bufs that every named device can use.  libdmabroker(3) has the whole story.
 *
 * A result of type int is a negative errno where something is refused, and dmabroker_error() then says why:
 *
 *   -EINVAL           InvalidRequest: an argument, or what the request says, is wrong
 *   -ENODEV           UnknownDevice: the service does not know a device of the request
 *   -EPROTONOSUPPORT  UnsupportedFormat: the machine does not know the format
 *   -ENOTSUP          Conflict: no layout or no memory suits every device; see dmabroker_error_constraints(); or a device
 *                     takes planes in descriptors of their own only
 *   -EDQUOT           QuotaExceeded: a limit of the user, or of one connection
 *   -ENOMEM           PoolExhausted: every suitable pool is full; or this process has no memory
 *   -E2BIG            TooManyBuffers: no count is set, and the devices hold more buffers than one call can return
 *   -EACCES           AccessDenied: policy closes every suitable pool to the caller
 *   -ENOENT           UnknownAllocation: the service does not have the allocation any more
 *   -EAGAIN           Unavailable: try again later
 *   -EIO              Internal: the service has a bug; or its answer breaks the interface or does not fit its buffers
 *   -ETIMEDOUT        no answer in time
 *   -EHOSTUNREACH     the name has no owner and D-Bus cannot start one: fall back to what you did before
 *   -ENOTCONN         the bus cannot be reached, or the connection to it has ended
 *   -EMFILE           the process has no room for the descriptors
 *   -ECHILD           the broker belongs to the process that this one was forked from
 *
 * Threads: a broker, and everything that came from it, is used by one thread at a time.  Brokers share nothing with each
 * other.  After a fork the child may only use and close descriptors: in the child, dmabroker_close() and
 * dmabroker_allocation_release() free memory and close descriptors without a word to the service.
 *
 * The library never writes to stderr, installs no signal handlers, starts no threads and does not abort.  Pointers may be
 * NULL everywhere: what cannot do without one gives -EINVAL, and to release or free NULL is nothing.
 */
#ifndef DMABROKER_H
#define DMABROKER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#ifdef __cplusplus
extern "C" {
#endif

struct dmabroker;            /* one connection to the service; it owns its allocations */
struct dmabroker_request;    /* what is asked for; can be used again, and by any thread that is alone with it */
struct dmabroker_allocation; /* buffers of one layout */

enum { DMABROKER_MAX_PLANES = 4 };

enum dmabroker_use { /* what a device does with a buffer */
	DMABROKER_USE_SCANOUT = 1 << 0, DMABROKER_USE_RENDER = 1 << 1, DMABROKER_USE_TEXTURE = 1 << 2,
	DMABROKER_USE_DECODE = 1 << 3, DMABROKER_USE_ENCODE = 1 << 4, DMABROKER_USE_CAPTURE = 1 << 5,
	DMABROKER_USE_OUTPUT = 1 << 6, DMABROKER_USE_READ = 1 << 7, DMABROKER_USE_WRITE = 1 << 8,
};

/* Keys of an entry in org.dmabroker1.Broker.Allocate, which org.dmabroker1(5) explains, with their units.  Those that ask
 * yes or no (PITCH_LINKED, CONTIGUOUS, PROTECTED) take 1 and 0.  New ones may come. */
enum dmabroker_limit {
	DMABROKER_PITCH_MULTIPLE, DMABROKER_PITCH_EXACT, DMABROKER_PITCH_LINKED, DMABROKER_PITCH_MIN, DMABROKER_PITCH_MAX,
	DMABROKER_OFFSET_MULTIPLE, DMABROKER_HEIGHT_MULTIPLE, DMABROKER_SIZE_MULTIPLE, DMABROKER_MAX_WIDTH,
	DMABROKER_MAX_HEIGHT, DMABROKER_CONTIGUOUS, DMABROKER_PROTECTED, DMABROKER_ADDRESS_BITS, DMABROKER_MIN_BUFFERS,
};

enum dmabroker_cpu_access { DMABROKER_CPU_NONE, DMABROKER_CPU_UNCACHED, DMABROKER_CPU_CACHED };

/* The words are those of zwp_linux_buffer_params_v1, struct wlr_dmabuf_attributes and drmModeAddFB2, which are filled in
 * from here.  All planes lie in the buffer's one descriptor. */
struct dmabroker_layout {
	uint32_t width, height; /* pixels; 0 for memory without an image */
	uint32_t format;        /* DRM_FORMAT_*; 0 for memory without an image */
	uint32_t n_planes;
	uint64_t modifier;      /* never DRM_FORMAT_MOD_INVALID */
	uint32_t offset[DMABROKER_MAX_PLANES], stride[DMABROKER_MAX_PLANES]; /* bytes */
	uint64_t size;          /* bytes that the layout needs; the memory behind may be larger (lseek tells) */
	enum dmabroker_cpu_access cpu_access;
};

/* --- Connection */

/* bus: "system", "session", a D-Bus address, or NULL for $DMABROKER_BUS and, without that, "system".  The connection is the
 * broker's own, so that what others do with a shared one cannot end the allocations.  Starts the service where D-Bus can.
 * Without a broker dmabroker_error() has no text: strerror() has to do. */
int dmabroker_open(struct dmabroker **broker, const char *bus);
/* Releases every allocation that is left, which frees it; descriptors that were taken stay valid.  What is still asked
 * asynchronously is dropped, and its callback is not called. */
void dmabroker_close(struct dmabroker *broker);
/* Text for a person about the latest refusal, never NULL; valid until the next call with this broker. */
const char *dmabroker_error(struct dmabroker *broker);
/* How long one call of this library may take, from 1 microsecond; 5 s unless set. */
int dmabroker_set_timeout(struct dmabroker *broker, uint64_t usec);

/* --- Event loop, for *_async and on_lost only: poll() the descriptor for the events until the timeout (CLOCK_MONOTONIC in
 * microseconds, UINT64_MAX for none), then dispatch until the result is 0 or negative.  Events and timeout change with every
 * call of the library, so ask for them before each poll(). */
int dmabroker_get_fd(struct dmabroker *broker);
int dmabroker_get_events(struct dmabroker *broker);
int dmabroker_get_timeout(struct dmabroker *broker, uint64_t *usec);
/* Does one thing that is due, such as calling one callback: > 0.  Callbacks come from here alone, and may do anything, even
 * close the broker. */
int dmabroker_dispatch(struct dmabroker *broker);
/* lost is called once, when the bus has gone.  Buffers stay valid; from then on this broker refuses with -ENOTCONN. */
void dmabroker_on_lost(struct dmabroker *broker, void (*lost)(struct dmabroker *, void *data), void *data);

/* --- Request */

int dmabroker_request_new(struct dmabroker_request **request);
void dmabroker_request_free(struct dmabroker_request *request);
int dmabroker_request_set_image(struct dmabroker_request *r, uint32_t width, uint32_t height, uint32_t format);
int dmabroker_request_set_size(struct dmabroker_request *r, uint64_t bytes);  /* instead of an image */
/* Any number: the library splits it into calls of 16, and all buffers come or none.  Unless set, there are as many as all
 * devices together hold at once. */
int dmabroker_request_set_count(struct dmabroker_request *r, uint32_t count);
/* The modifiers that suit the program.  DRM_FORMAT_MOD_INVALID is left out where it stands beside others, as it does in the
 * lists of wlroots and PipeWire; alone it is -EINVAL. */
int dmabroker_request_set_modifiers(struct dmabroker_request *r, const uint64_t *modifiers, size_t n);
int dmabroker_request_set_label(struct dmabroker_request *r, const char *label); /* at most 31 bytes; shown by kernel tools */
/* Who touches the buffers, and how (DMABROKER_USE_*; 0: the device must only reach the memory).  The result is the index of
 * the entry for the functions below.  name: "cpu", a node ("/dev/dri/card0"), or "226:0". */
int dmabroker_request_add_device(struct dmabroker_request *r, const char *name, uint32_t uses);
int dmabroker_request_add_dev_t(struct dmabroker_request *r, dev_t dev, uint32_t uses); /* linux-dmabuf feedback */
int dmabroker_request_add_fd(struct dmabroker_request *r, int node, uint32_t uses);     /* node: an open device; stays the caller's */
int dmabroker_request_set_limit(struct dmabroker_request *r, int entry, enum dmabroker_limit limit, uint64_t value);
int dmabroker_request_set_device_modifiers(struct dmabroker_request *r, int entry, const uint64_t *m, size_t n);

/* --- Allocation.  The request is borrowed for the call. */

int dmabroker_allocate(struct dmabroker *broker, const struct dmabroker_request *request,
	struct dmabroker_allocation **allocation);
typedef void (*dmabroker_allocated)(struct dmabroker_allocation *allocation, int error, void *data);
/* done is called by dmabroker_dispatch(), once, unless this is refused or the broker closed before.  error is 0, or a
 * negative errno and there is no allocation. */
int dmabroker_allocate_async(struct dmabroker *broker, const struct dmabroker_request *request,
	dmabroker_allocated done, void *data);
/* Adds buffers of the same layout, all or none. */
int dmabroker_extend(struct dmabroker_allocation *allocation, uint32_t count);
/* What Allocate would decide, whatever quotas say at the moment: 1 and the layout (PipeWire and V4L2 want the stride before
 * there are buffers), or 0.  layout and text may be NULL.  *text says why, for a log, and is the caller's to free(). */
int dmabroker_explain(struct dmabroker *broker, const struct dmabroker_request *request, struct dmabroker_layout *layout, char **text);

const struct dmabroker_layout *dmabroker_allocation_layout(const struct dmabroker_allocation *allocation);
const char *dmabroker_allocation_path(const struct dmabroker_allocation *allocation); /* D-Bus object path */
uint32_t dmabroker_allocation_count(const struct dmabroker_allocation *allocation);
/* Borrowed until the allocation is released, and closed on exec; -EBADF once it is taken. */
int dmabroker_allocation_fd(const struct dmabroker_allocation *allocation, uint32_t index);
/* Yours to close, once; the service counts the memory until its last reference is gone. */
int dmabroker_allocation_take_fd(struct dmabroker_allocation *allocation, uint32_t index);
/* Closes what was not taken, tells the service without waiting, and frees the allocation. */
void dmabroker_allocation_release(struct dmabroker_allocation *allocation);

/* --- The CPU.  For descriptors of other origin, too. */

enum dmabroker_cpu { DMABROKER_CPU_READ = 1, DMABROKER_CPU_WRITE = 2 };
/* mmap(), refused with -EINVAL where the memory is smaller than size. */
int dmabroker_map(int fd, uint64_t size, uint32_t cpu, void **data);
void dmabroker_unmap(void *data, uint64_t size);
/* Before and after every access, with the same flags: DMA_BUF_IOCTL_SYNC, repeated where it is interrupted.  -ENOTTY, which
 * does no harm, for plain memory. */
int dmabroker_cpu_begin(int fd, uint32_t cpu);
int dmabroker_cpu_end(int fd, uint32_t cpu);

/* --- Reasons */

/* One requirement of a Conflict. */
struct dmabroker_constraint {
	int32_t entry;          /* index in the request, from 0; -1 for the buffer as a whole and for memory */
	const char *device;     /* name of the device, or "" */
	const char *constraint; /* its key, as in org.dmabroker1(5), or formats, reach, width or height */
	const char *value;      /* for a person */
	const char *source;     /* who says so: client, request, kernel:..., policy:FILE:LINE and others */
};

/* If the latest refusal is a Conflict, its smallest set of constraints that cannot hold together, and their number; 0 for
 * other refusals, and where the service does not tell.  Valid until the next call with this broker. */
int dmabroker_error_constraints(struct dmabroker *broker, const struct dmabroker_constraint **constraints);
/* Text for a person about the latest refusal of a dmabroker_request_* function, never NULL. */
const char *dmabroker_request_error(const struct dmabroker_request *request);

#ifdef __cplusplus
}
#endif
#endif
