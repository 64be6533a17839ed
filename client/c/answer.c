/* SPDX-License-Identifier: MIT
 * What the answer to a job's call means for the job. */
#include "private.h"

enum { MAX_REPEATED = 2 };

static void refuse_answer(struct job *job, int error)
{
	if (error == -ENOMEM)
		job_refuse(job, error, "no memory is left");
	else if (error == -EMFILE)
		job_refuse(job, error, "the process has no room for the descriptors");
	else if (error == -EOPNOTSUPP)
		job_refuse(job, -ENOTSUP, "a device takes planes in descriptors of their own only, which libdmabroker cannot give");
	else
		job_refuse(job, -EIO, "the answer of " SERVICE " breaks the interface, or does not fit its buffers");
}

static void release_copy(struct job *job, const char *path)
{
	char *copy = path != NULL ? strdup(path) : NULL;
	if (copy != NULL)
		release_path(job->broker, copy);
}

/* The first answer makes the allocation, and later ones add to it. */
static int keep(struct job *job, struct allocate_reply *got)
{
	if (job->asked != 0 && got->n != job->asked)
		return -EBADMSG;
	if (job->path != NULL && (strcmp(job->path, got->path) != 0 || !same_layout(&job->layout, &got->layout.layout)))
		return -EBADMSG;
	int *fds = realloc(job->fds, (job->n_fds + got->n) * sizeof *fds);
	if (fds == NULL)
		return -ENOMEM;
	job->fds = fds;
	if (job->path == NULL) {
		if ((job->path = strdup(got->path)) == NULL)
			return -ENOMEM;
		job->layout = got->layout.layout;
	}
	memcpy(fds + job->n_fds, got->fds, got->n * sizeof *fds);
	job->n_fds += got->n;
	got->n = 0;
	return 0;
}

static void buffers_came(struct job *job, sd_bus_message *m)
{
	struct allocate_reply got;
	const bool first = job->path == NULL;
	int r = read_allocate(m, first ? job->request : NULL, &got);
	if (r >= 0)
		r = keep(job, &got);
	if (r < 0) {
		close_all(got.fds, got.n);
		if (first)
			release_copy(job, got.path);
		refuse_answer(job, r);
	} else if (job->n_fds < job->wanted) {
		job_send(job);
	} else {
		job_end(job, 0);
	}
}

static void explanation_came(struct job *job, sd_bus_message *m)
{
	int r = read_explanation(m, job->request, &job->explanation);
	if (r < 0)
		refuse_answer(job, r);
	else
		job_end(job, job->explanation.feasible);
}

static void conflict_came(struct job *job, sd_bus_message *m, const char *text)
{
	if (sd_bus_message_has_signature(m, "saa{sv}") > 0 &&
	    (sd_bus_message_skip(m, "s") < 0 || read_constraints(m, &job->conflict) < 0))
		constraints_free(&job->conflict); /* the text has to do */
	job_refuse(job, -ENOTSUP, "%s", text);
}

/* A service that left is waited for; one that is absent for longer than a call may take is not. */
static void absent(struct job *job, const char *text)
{
	struct dmabroker *broker = job->broker;
	const uint64_t now = now_usec();
	if (job->kind == JOB_START && !job->activates) {
		job->activates = true;
		job_send(job);
		return;
	}
	if (job->kind == JOB_START && broker->present) { /* it came between the two questions */
		job_end(job, 0);
		return;
	}
	if (broker->present)
		broker->absent_since = now;
	broker->present = false;
	job->owner_deadline = after(broker->absent_since, broker->timeout);
	if (job->kind == JOB_START || now >= job->owner_deadline)
		job_refuse(job, -EHOSTUNREACH, "%s", text);
	else
		job->waits_for_owner = true;
}

static void refused(struct job *job, sd_bus_message *m, const sd_bus_error *error)
{
	const char *text = error->message != NULL && error->message[0] != '\0' ? error->message : error->name;
	const int number = errno_of(error->name);
	if (says_absent(error->name))
		absent(job, text);
	else if (strcmp(error->name, SD_BUS_ERROR_NO_REPLY) == 0 && job->repeated++ < MAX_REPEATED)
		job_send(job); /* it left before it answered, and nothing that it began holds */
	else if (number == -ENOTSUP)
		conflict_came(job, m, text);
	else
		job_refuse(job, number, "%s", text);
}

/* The caller has given up; an allocation that comes all the same is for no one. */
static void too_late(struct job *job, sd_bus_message *m)
{
	const char *path;
	if (job->kind == JOB_ALLOCATE && job->path == NULL && !sd_bus_message_is_method_error(m, NULL) &&
	    sd_bus_message_has_signature(m, "oa{sv}ah") > 0 && sd_bus_message_read(m, "o", &path) > 0)
		release_copy(job, path);
}

void job_answered(struct job *job)
{
	sd_bus_message *m = job->reply;
	const sd_bus_error *error = sd_bus_message_get_error(m);
	job->reply = NULL;
	if (job->finished)
		too_late(job, m);
	else if (error != NULL)
		refused(job, m, error);
	else if (job->kind == JOB_START)
		job->broker->present = true, job_end(job, 0);
	else if (job->kind == JOB_EXPLAIN)
		explanation_came(job, m);
	else
		buffers_came(job, m);
	sd_bus_message_unref(m);
}
