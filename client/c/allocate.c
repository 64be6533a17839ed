/* SPDX-License-Identifier: MIT
 * What the caller asks of the service. */
#include "private.h"

static int check_request(struct dmabroker *broker, const struct dmabroker_request *request)
{
	if (request == NULL)
		return refuse(broker, -EINVAL, "there is no request");
	if (request->size == 0 && request->format == 0)
		return refuse(broker, -EINVAL, "the request has neither an image nor a size");
	if (request->n_entries == 0)
		return refuse(broker, -EINVAL, "the request names no device");
	return 0;
}

static int new_allocation(struct dmabroker *broker, const struct dmabroker_request *request, struct job **job)
{
	int r = job_new(job, broker, JOB_ALLOCATE);
	if (r < 0)
		return r;
	(*job)->request = request;
	(*job)->wanted = request->count;
	(*job)->allocation = malloc(sizeof *(*job)->allocation);
	if ((*job)->allocation != NULL)
		return 0;
	job_leave(*job);
	return refuse(broker, -ENOMEM, "no memory is left");
}

int dmabroker_allocate(struct dmabroker *broker, const struct dmabroker_request *request,
	struct dmabroker_allocation **allocation)
{
	struct job *job;
	if (allocation != NULL)
		*allocation = NULL;
	int r = check_usable(broker);
	if (r < 0)
		return r;
	if (allocation == NULL)
		return refuse(broker, -EINVAL, "there is no place for the allocation");
	if ((r = check_request(broker, request)) < 0 || (r = new_allocation(broker, request, &job)) < 0)
		return r;
	r = job_wait(job);
	if (r >= 0)
		*allocation = allocation_of(job);
	job_leave(job);
	return r;
}

int dmabroker_allocate_async(struct dmabroker *broker, const struct dmabroker_request *request,
	dmabroker_allocated done, void *data)
{
	struct dmabroker_request *copy;
	struct job *job;
	int r = check_usable(broker);
	if (r < 0)
		return r;
	if (done == NULL)
		return refuse(broker, -EINVAL, "there is no callback");
	if ((r = check_request(broker, request)) < 0)
		return r;
	if ((r = request_copy(request, &copy)) < 0)
		return refuse(broker, r, "no memory is left");
	if ((r = new_allocation(broker, copy, &job)) < 0) {
		dmabroker_request_free(copy);
		return r;
	}
	job->own_request = copy;
	job_send(job);
	if (job->finished) { /* it could not be sent */
		r = job_refusal(job);
		job_leave(job);
		return r;
	}
	job->done = done;
	job->data = data;
	return 0;
}

static int extended(struct dmabroker_allocation *allocation, struct job *job)
{
	int *fds = realloc(allocation->fds, ((size_t)allocation->count + job->n_fds) * sizeof *fds);
	if (fds == NULL)
		return refuse(allocation->broker, -ENOMEM, "no memory is left");
	memcpy(fds + allocation->count, job->fds, job->n_fds * sizeof *fds);
	allocation->fds = fds;
	allocation->count += job->n_fds;
	job->n_fds = 0;
	return 0;
}

int dmabroker_extend(struct dmabroker_allocation *allocation, uint32_t count)
{
	struct job *job;
	if (allocation == NULL)
		return -EINVAL;
	struct dmabroker *broker = allocation->broker;
	int r = check_usable(broker);
	if (r < 0)
		return r;
	if (count == 0 || count > UINT32_MAX - allocation->count)
		return refuse(broker, -EINVAL, "%u is no number of buffers to add to %u", count, allocation->count);
	if ((r = job_new(&job, broker, JOB_EXTEND)) < 0)
		return r;
	job->wanted = count;
	job->layout = allocation->layout;
	job->path = strdup(allocation->path);
	if (job->path == NULL)
		r = refuse(broker, -ENOMEM, "no memory is left");
	else if ((r = job_wait(job)) >= 0)
		r = extended(allocation, job);
	job_leave(job);
	return r;
}

int dmabroker_explain(struct dmabroker *broker, const struct dmabroker_request *request, struct dmabroker_layout *layout, char **text)
{
	struct job *job;
	if (text != NULL)
		*text = NULL;
	if (layout != NULL)
		memset(layout, 0, sizeof *layout);
	int r = check_usable(broker);
	if (r < 0 || (r = check_request(broker, request)) < 0)
		return r;
	if ((r = job_new(&job, broker, JOB_EXPLAIN)) < 0)
		return r;
	job->request = request;
	job->wanted = request->count;
	r = job_wait(job);
	if (r >= 0 && text != NULL && (*text = explanation_text(&job->explanation)) == NULL)
		r = refuse(broker, -ENOMEM, "no memory is left");
	if (r > 0 && layout != NULL)
		*layout = job->explanation.layout.layout;
	job_leave(job);
	return r;
}
