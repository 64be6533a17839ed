/* SPDX-License-Identifier: MIT
 * A job, from its first call to its end. One that came to its end can still have a call under way, whose late answer may
 * carry buffers to give back. */
#include "private.h"

#include <stdarg.h>
#include <stdio.h>

int job_new(struct job **job, struct dmabroker *broker, enum job_kind kind)
{
	struct job *new = calloc(1, sizeof *new);
	if (new == NULL)
		return refuse(broker, -ENOMEM, "no memory is left");
	new->broker = broker;
	new->kind = kind;
	new->deadline = after(now_usec(), broker->timeout);
	struct job **last = &broker->jobs; /* the oldest first: callbacks come in the order of the calls */
	while (*last != NULL)
		last = &(*last)->next;
	*last = new;
	*job = new;
	return 0;
}

static void unlink_job(struct job *job)
{
	for (struct job **at = &job->broker->jobs; *at != NULL; at = &(*at)->next)
		if (*at == job) {
			*at = job->next;
			return;
		}
}

static void drop_buffers(struct job *job)
{
	close_all(job->fds, job->n_fds);
	free(job->fds);
	job->fds = NULL;
	job->n_fds = 0;
}

void job_free(struct job *job)
{
	unlink_job(job);
	sd_bus_slot_unref(job->slot);
	sd_bus_message_unref(job->reply);
	drop_buffers(job);
	dmabroker_request_free(job->own_request);
	explanation_free(&job->explanation);
	constraints_free(&job->conflict);
	free(job->allocation);
	free(job->path);
	free(job->text);
	free(job);
}

void job_end(struct job *job, int result)
{
	job->finished = true;
	job->result = result;
	if (result >= 0)
		return;
	drop_buffers(job);
	if (job->kind == JOB_ALLOCATE && job->path != NULL) {
		release_path(job->broker, job->path);
		job->path = NULL;
	}
}

void job_refuse(struct job *job, int error, const char *format, ...)
{
	va_list arguments;
	free(job->text);
	va_start(arguments, format);
	if (vasprintf(&job->text, format, arguments) < 0)
		job->text = NULL;
	va_end(arguments);
	job_end(job, error);
}

uint64_t job_due(const struct job *job)
{
	return job->waits_for_owner && job->owner_deadline < job->deadline ? job->owner_deadline : job->deadline;
}

static void step(struct job *job, uint64_t now)
{
	if (job->reply != NULL) {
		job_answered(job);
	} else if (job->finished) {
		return;
	} else if (job->broker->gone) {
		job_refuse(job, -ENOTCONN, "the connection to the bus has ended");
	} else if (job->waits_for_owner && job->broker->present) {
		job->waits_for_owner = false;
		job_send(job);
	} else if (now >= job_due(job)) {
		if (job->waits_for_owner)
			job_refuse(job, -EHOSTUNREACH, SERVICE " left the bus, and did not come back");
		else
			job_refuse(job, -ETIMEDOUT, SERVICE " did not answer within %.3g s",
				   (double)job->broker->timeout / 1e6);
	}
}

void jobs_step(struct dmabroker *broker)
{
	const uint64_t now = now_usec();
	for (struct job *job = broker->jobs, *next; job != NULL; job = next) {
		step(job, now);
		next = job->next;
		if (job->abandoned && job->slot == NULL && job->reply == NULL)
			job_free(job);
	}
}

int job_wait(struct job *job)
{
	job_send(job);
	while (!job->finished)
		take_in_until(job->broker, job_due(job));
	return job_refusal(job);
}

int job_refusal(struct job *job)
{
	struct dmabroker *broker = job->broker;
	if (job->result >= 0)
		return job->result;
	free(broker->error);
	constraints_free(&broker->conflict);
	broker->refused = true;
	broker->error = job->text;
	broker->conflict = job->conflict;
	job->text = NULL;
	job->conflict = (struct constraints){ 0 };
	return job->result;
}

void job_leave(struct job *job)
{
	job->abandoned = true;
	job->done = NULL;
	job->request = NULL;
	/* Only an allocation that comes late has to be given back. */
	if (job->kind != JOB_ALLOCATE || (job->slot == NULL && job->reply == NULL))
		job_free(job);
}
