/* SPDX-License-Identifier: MIT
 * Buffers that the caller has. */
#include "private.h"

struct dmabroker_allocation *allocation_of(struct job *job)
{
	struct dmabroker_allocation *allocation = job->allocation;
	*allocation = (struct dmabroker_allocation){
		.broker = job->broker,
		.next = job->broker->allocations,
		.path = job->path,
		.layout = job->layout,
		.fds = job->fds,
		.count = job->n_fds,
	};
	job->broker->allocations = allocation;
	job->allocation = NULL;
	job->path = NULL;
	job->fds = NULL;
	job->n_fds = 0;
	return allocation;
}

void allocation_free(struct dmabroker_allocation *allocation)
{
	for (struct dmabroker_allocation **at = &allocation->broker->allocations; *at != NULL; at = &(*at)->next)
		if (*at == allocation) {
			*at = allocation->next;
			break;
		}
	close_all(allocation->fds, allocation->count);
	free(allocation->fds);
	free(allocation->path);
	free(allocation);
}

static void send_release(struct dmabroker *broker, const char *path)
{
	sd_bus_message *call = NULL;
	if (sd_bus_message_new_method_call(broker->bus, &call, SERVICE, SERVICE_PATH, SERVICE_INTERFACE, "Release") >= 0 &&
	    sd_bus_message_append_basic(call, 'o', path) >= 0 && sd_bus_message_set_expect_reply(call, 0) >= 0)
		sd_bus_send(broker->bus, call, NULL); /* what cannot be sent ends with the connection */
	sd_bus_message_unref(call);
}

void release_path(struct dmabroker *broker, char *path)
{
	struct held_path *held = broker->present || broker->gone ? NULL : malloc(sizeof *held);
	if (held != NULL) { /* the next service may still have it */
		*held = (struct held_path){ broker->to_release, path };
		broker->to_release = held;
		return;
	}
	if (!broker->gone)
		send_release(broker, path);
	free(path);
}

void release_held(struct dmabroker *broker)
{
	while (broker->present && broker->to_release != NULL) {
		struct held_path *held = broker->to_release;
		broker->to_release = held->next;
		send_release(broker, held->path);
		free(held->path);
		free(held);
	}
}

void dmabroker_allocation_release(struct dmabroker_allocation *allocation)
{
	if (allocation == NULL)
		return;
	struct dmabroker *broker = allocation->broker;
	/* Closed before the service looks whether the buffers are still held. */
	close_all(allocation->fds, allocation->count);
	allocation->count = 0;
	if (!is_child(broker)) {
		release_path(broker, allocation->path);
		allocation->path = NULL;
	}
	allocation_free(allocation);
}

const struct dmabroker_layout *dmabroker_allocation_layout(const struct dmabroker_allocation *allocation)
{
	return allocation != NULL ? &allocation->layout : NULL;
}

const char *dmabroker_allocation_path(const struct dmabroker_allocation *allocation)
{
	return allocation != NULL ? allocation->path : NULL;
}

uint32_t dmabroker_allocation_count(const struct dmabroker_allocation *allocation)
{
	return allocation != NULL ? allocation->count : 0;
}

int dmabroker_allocation_fd(const struct dmabroker_allocation *allocation, uint32_t index)
{
	if (allocation == NULL || index >= allocation->count)
		return -EINVAL;
	return allocation->fds[index] >= 0 ? allocation->fds[index] : -EBADF;
}

int dmabroker_allocation_take_fd(struct dmabroker_allocation *allocation, uint32_t index)
{
	int fd = dmabroker_allocation_fd(allocation, index);
	if (fd >= 0)
		allocation->fds[index] = -1;
	return fd;
}
