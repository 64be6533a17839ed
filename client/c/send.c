/* SPDX-License-Identifier: MIT
 * The calls of a job. */
#include "private.h"

#include <fcntl.h>
#include <unistd.h>

#define DRIVER "org.freedesktop.DBus"
#define DRIVER_PATH "/org/freedesktop/DBus"

static int on_reply(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct job *job = data;
	(void)error;
	job->slot = sd_bus_slot_unref(job->slot);
	job->reply = sd_bus_message_ref(m); /* read outside of sd_bus_process() */
	return 0;
}

/* Descriptors that the kernel finds no room for are lost, and the connection with them: so look before. Each buffer takes
 * one that sd-bus has, and one of ours. */
static int check_room(int fd, uint32_t buffers)
{
	int spare[2 * MAX_BUFFERS_PER_CALL];
	uint32_t n = 0;
	int r = 0;
	while (r == 0 && n < 2 * buffers) {
		spare[n] = fcntl(fd, F_DUPFD_CLOEXEC, 0);
		if (spare[n] < 0)
			r = -errno;
		else
			n++;
	}
	close_all(spare, n);
	return r;
}

static int append(struct job *job, sd_bus_message *call)
{
	if (job->kind == JOB_START)
		return sd_bus_message_append(call, job->activates ? "su" : "s", SERVICE, 0);
	if (job->path == NULL) {
		const bool split = job->wanted > MAX_BUFFERS_PER_CALL;
		job->asked = split ? MAX_BUFFERS_PER_CALL : job->wanted;
		return append_request(call, job->request, job->asked, split ? job->wanted : 0);
	}
	const uint32_t missing = job->wanted - job->n_fds;
	job->asked = missing > MAX_BUFFERS_PER_CALL ? MAX_BUFFERS_PER_CALL : missing;
	return append_extension(call, job->path, job->asked);
}

static int make_call(struct job *job, sd_bus_message **call)
{
	sd_bus *bus = job->broker->bus;
	if (job->kind == JOB_START)
		return sd_bus_message_new_method_call(bus, call, DRIVER, DRIVER_PATH, DRIVER,
						      job->activates ? "StartServiceByName" : "GetNameOwner");
	return sd_bus_message_new_method_call(bus, call, SERVICE, SERVICE_PATH, SERVICE_INTERFACE,
					      job->kind == JOB_EXPLAIN ? "Explain" : "Allocate");
}

static void refuse_sending(struct job *job, int error)
{
	switch (error) {
	case -ENOMEM:
		job_refuse(job, -ENOMEM, "no memory is left");
		return;
	case -ENOBUFS:
		job_refuse(job, -EAGAIN, "the bus does not take more messages now");
		return;
	case -EINVAL:
		job_refuse(job, -EINVAL, "the request has a text that is not UTF-8");
		return;
	default:
		job->broker->gone = true;
		job_refuse(job, -ENOTCONN, "the connection to the bus has ended");
	}
}

void job_send(struct job *job)
{
	sd_bus_message *call = NULL;
	int r = make_call(job, &call);
	if (r >= 0)
		r = append(job, call);
	if (r >= 0 && (job->kind == JOB_ALLOCATE || job->kind == JOB_EXTEND)) {
		r = check_room(job->broker->fd, job->asked != 0 ? job->asked : MAX_BUFFERS_PER_CALL);
		if (r < 0) {
			sd_bus_message_unref(call);
			job_refuse(job, r, "the process has no room for the descriptors of %u buffers", job->wanted);
			return;
		}
	}
	/* Without a timeout of sd-bus, so that a late answer is not lost. */
	if (r >= 0)
		r = sd_bus_call_async(job->broker->bus, &job->slot, call, on_reply, job, UINT64_MAX);
	sd_bus_message_unref(call);
	if (r < 0)
		refuse_sending(job, r);
}
