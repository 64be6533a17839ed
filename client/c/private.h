/* SPDX-License-Identifier: MIT
 * What the files of the library share.  Included first by each of them. */
#ifndef DMABROKER_PRIVATE_H
#define DMABROKER_PRIVATE_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#if defined(DMABROKER_BASU)
#include <basu/sd-bus.h>
#elif defined(DMABROKER_ELOGIND)
#include <elogind/sd-bus.h>
#else
#include <systemd/sd-bus.h>
#endif

/* Everything else is hidden (-fvisibility=hidden). */
#pragma GCC visibility push(default)
#include "dmabroker.h"
#pragma GCC visibility pop

#define SERVICE "org.dmabroker1"
#define SERVICE_PATH "/org/dmabroker1"
#define SERVICE_INTERFACE "org.dmabroker1.Broker"

enum { /* bounds of the contract */
	MAX_BUFFERS_PER_CALL = 16,
	MAX_ENTRIES = 64,
	MAX_MODIFIERS = 4096,
	MAX_STRING = 255,
	MAX_LABEL = 31,
	N_USES = 9,
	N_LIMITS = DMABROKER_MIN_BUFFERS + 1,
};

/* --- request.c, message.c */

struct modifiers {
	uint64_t *all;
	size_t n;
};

struct entry {
	char *name;
	uint32_t uses;
	struct modifiers modifiers;
	uint32_t limits_set; /* bit by bit */
	uint64_t limits[N_LIMITS];
};

struct dmabroker_request {
	uint32_t width, height, format;
	uint64_t size; /* 0: an image, or nothing yet */
	uint32_t count;
	struct modifiers modifiers;
	char label[MAX_LABEL + 1];
	struct entry *entries;
	size_t n_entries;
	char error[160];
};

extern const char *const use_names[N_USES];
struct limit_name {
	const char *key;
	char type; /* D-Bus type of the value: 'u', 't' or 'b' */
};
extern const struct limit_name limit_names[N_LIMITS];

int request_copy(const struct dmabroker_request *from, struct dmabroker_request **to);
/* The arguments of Allocate and Explain; count 0 leaves the number to the service, total 0 leaves it out. */
int append_request(sd_bus_message *call, const struct dmabroker_request *request, uint32_t count, uint32_t total);
int append_extension(sd_bus_message *call, const char *path, uint32_t count);

/* --- layout.c, format.c */

struct layout_reply {
	struct dmabroker_layout layout;
	uint32_t count;
};

/* Reads an a{sv} that is a layout, and refuses one that contradicts itself or the request (-EBADMSG), or that has a
 * descriptor for each plane (-EOPNOTSUPP). */
int read_layout(sd_bus_message *reply, const struct dmabroker_request *request, struct layout_reply *layout);
bool same_layout(const struct dmabroker_layout *a, const struct dmabroker_layout *b);

enum { FOURCC_SIZE = 5 };
bool format_name(uint32_t format, char name[FOURCC_SIZE]); /* false for a number that is no name */
uint32_t format_code(const char *name);                    /* 0 for a name that is none */
/* The fewest bytes that the plane takes from its offset on, as far as that is known of the format. */
uint64_t least_bytes(const struct dmabroker_layout *layout, uint32_t plane);

/* --- reply.c */

struct allocate_reply {
	const char *path; /* lives as long as the message */
	struct layout_reply layout;
	int fds[MAX_BUFFERS_PER_CALL]; /* the receiver's */
	uint32_t n;
};

/* request is NULL for an extension.  On failure, path is that of the allocation that came all the same, or NULL. */
int read_allocate(sd_bus_message *reply, const struct dmabroker_request *request, struct allocate_reply *got);
void close_all(int *fds, uint32_t n);
int64_t bytes_behind(int fd); /* -1 where it does not tell */

/* --- constraint.c, explain.c */

struct constraints {
	struct dmabroker_constraint *all;
	size_t n;
};

int read_constraints(sd_bus_message *reply, struct constraints *list); /* an aa{sv} */
void constraints_free(struct constraints *list);

struct explanation {
	bool feasible;
	struct layout_reply layout;
	struct constraints constraints, conflicts;
	char *notes; /* limits and suggestions, a line each */
};

int read_explanation(sd_bus_message *reply, const struct dmabroker_request *request, struct explanation *explanation);
void explanation_free(struct explanation *explanation);
char *explanation_text(const struct explanation *explanation);

/* --- open.c, loop.c */

struct held_path { /* an allocation to release when there is a service again */
	struct held_path *next;
	char *path;
};

struct dmabroker {
	sd_bus *bus;
	int fd;
	pid_t pid; /* the process that it belongs to */
	uint64_t timeout;
	char *error;
	struct constraints conflict;
	struct dmabroker_allocation *allocations;
	struct job *jobs;
	struct held_path *to_release;
	bool present; /* whether the service's name has an owner, according to the bus */
	uint64_t absent_since;
	bool refused, gone, told;
	void (*lost)(struct dmabroker *, void *data);
	void *lost_data;
};

uint64_t now_usec(void);
uint64_t after(uint64_t time, uint64_t usec); /* without overflow */
/* Takes in what came and moves on everything that waits for it; > 0 when there may be more.  Calls no callback. */
int take_in(struct dmabroker *broker);
/* The same after sleeping until something comes, at most until then. */
int take_in_until(struct dmabroker *broker, uint64_t until);

/* --- errors.c */

/* Notes the text and returns the error. */
int refuse(struct dmabroker *broker, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* 0, or why nothing can be asked. */
int check_usable(struct dmabroker *broker);
bool is_child(const struct dmabroker *broker);
int errno_of(const char *error_name);
bool says_absent(const char *error_name);

/* --- job.c */

enum job_kind { JOB_START, JOB_ALLOCATE, JOB_EXTEND, JOB_EXPLAIN };

/* A request of a library function to the service: one or more calls, made one after the other. */
struct job {
	struct dmabroker *broker;
	struct job *next;
	enum job_kind kind;
	const struct dmabroker_request *request;
	struct dmabroker_request *own_request; /* a copy, where the caller does not wait */
	uint64_t deadline;

	sd_bus_slot *slot;     /* the call under way, or NULL */
	sd_bus_message *reply; /* came, and is not read yet */
	bool waits_for_owner;
	bool activates; /* the name has no owner, and the bus is asked to start one */
	uint64_t owner_deadline;
	unsigned repeated;

	uint32_t wanted, asked; /* buffers in all, and in the call under way; 0 where the service says */
	struct dmabroker_allocation *allocation; /* JOB_ALLOCATE only: filled in when the job succeeds */
	char *path;
	struct dmabroker_layout layout;
	int *fds;
	uint32_t n_fds;
	struct explanation explanation;

	bool finished;
	int result;
	char *text;
	struct constraints conflict;
	bool abandoned; /* waits for its late reply only */
	dmabroker_allocated done;
	void *data;
};

int job_new(struct job **job, struct dmabroker *broker, enum job_kind kind);
/* Waits for the end, and gives the result; a refusal is then the broker's. */
int job_wait(struct job *job);
int job_refusal(struct job *job);
/* The caller is done with the job. */
void job_leave(struct job *job);
void job_free(struct job *job);
void jobs_step(struct dmabroker *broker);
uint64_t job_due(const struct job *job);
/* Ends a job, and undoes what was done where that is a refusal; the text is the job's. */
void job_end(struct job *job, int result);
void job_refuse(struct job *job, int error, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* --- send.c */

/* Makes the next call of the job, or ends it. */
void job_send(struct job *job);

/* --- answer.c */

void job_answered(struct job *job);

/* --- allocation.c */

struct dmabroker_allocation {
	struct dmabroker *broker;
	struct dmabroker_allocation *next;
	char *path;
	struct dmabroker_layout layout;
	int *fds; /* -1 where taken */
	uint32_t count;
};

/* Makes the allocation from a job that succeeded, and takes over its descriptors. */
struct dmabroker_allocation *allocation_of(struct job *job);
void allocation_free(struct dmabroker_allocation *allocation);
/* Tells the service that the allocation is over; takes the path. */
void release_path(struct dmabroker *broker, char *path);
void release_held(struct dmabroker *broker);
#endif
