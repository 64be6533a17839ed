/* SPDX-License-Identifier: MIT
 * What comes from the bus: taken in by calls that wait, or by the caller's event loop. */
#include "private.h"

#include <time.h>

uint64_t now_usec(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t after(uint64_t time, uint64_t usec)
{
	return usec > UINT64_MAX - time ? UINT64_MAX : time + usec;
}

int take_in(struct dmabroker *broker)
{
	int r = 0;
	if (!broker->gone) {
		r = sd_bus_process(broker->bus, NULL);
		if (r < 0 || sd_bus_is_open(broker->bus) <= 0)
			broker->gone = true;
	}
	jobs_step(broker);
	release_held(broker);
	return r > 0;
}

int take_in_until(struct dmabroker *broker, uint64_t until)
{
	const uint64_t now = now_usec();
	if (!broker->gone) {
		int r = sd_bus_wait(broker->bus, until == UINT64_MAX ? until : until > now ? until - now : 0);
		if (r < 0 && r != -EINTR && r != -EAGAIN)
			broker->gone = true;
	}
	return take_in(broker);
}

int dmabroker_get_fd(struct dmabroker *broker)
{
	int r = check_usable(broker);
	return r < 0 ? r : broker->fd;
}

int dmabroker_get_events(struct dmabroker *broker)
{
	int r = check_usable(broker);
	if (r < 0)
		return r;
	r = sd_bus_get_events(broker->bus);
	return r < 0 ? refuse(broker, -ENOTCONN, "the connection to the bus has ended") : r;
}

static struct job *delivery(const struct dmabroker *broker)
{
	for (struct job *job = broker->jobs; job != NULL; job = job->next)
		if (job->finished && job->done != NULL)
			return job;
	return NULL;
}

static bool any_unfinished(const struct dmabroker *broker)
{
	for (const struct job *job = broker->jobs; job != NULL; job = job->next)
		if (!job->finished)
			return true;
	return false;
}

/* After the callbacks of what was asked. */
static bool lost_is_due(const struct dmabroker *broker)
{
	return broker->gone && !broker->told && broker->lost != NULL && !any_unfinished(broker);
}

int dmabroker_get_timeout(struct dmabroker *broker, uint64_t *usec)
{
	if (broker == NULL || usec == NULL)
		return -EINVAL;
	*usec = 0;
	if (is_child(broker))
		return check_usable(broker);
	if (delivery(broker) != NULL || lost_is_due(broker) || (broker->gone && any_unfinished(broker)))
		return 1;
	int r = check_usable(broker);
	if (r < 0)
		return r;
	if (sd_bus_get_timeout(broker->bus, usec) < 0)
		return 1; /* dispatching says why */
	for (const struct job *job = broker->jobs; job != NULL; job = job->next)
		if (!job->finished && job_due(job) < *usec)
			*usec = job_due(job);
	return *usec != UINT64_MAX;
}

/* Calls one callback that is due. It may close the broker. */
static int deliver(struct dmabroker *broker)
{
	struct job *job = delivery(broker);
	if (job != NULL) {
		const dmabroker_allocated done = job->done;
		void *data = job->data;
		const int result = job_refusal(job);
		struct dmabroker_allocation *allocation = result < 0 ? NULL : allocation_of(job);
		job_leave(job);
		done(allocation, result, data);
		return 1;
	}
	if (lost_is_due(broker)) {
		broker->told = true;
		broker->lost(broker, broker->lost_data);
		return 1;
	}
	return 0;
}

int dmabroker_dispatch(struct dmabroker *broker)
{
	if (broker == NULL)
		return -EINVAL;
	if (is_child(broker))
		return check_usable(broker);
	if (deliver(broker) > 0)
		return 1;
	const int r = take_in(broker); /* when the bus has gone, this ends what was asked */
	if (deliver(broker) > 0)
		return 1;
	return broker->gone ? check_usable(broker) : r;
}

void dmabroker_on_lost(struct dmabroker *broker, void (*lost)(struct dmabroker *, void *data), void *data)
{
	if (broker == NULL)
		return;
	broker->lost = lost;
	broker->lost_data = data;
}
