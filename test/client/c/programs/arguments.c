/* What needs no service: arguments that are wrong, NULL everywhere, memory of the process's own, a child. */
#include <dmabroker.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static int failed;

static void check(int holds, const char *what, int line)
{
	if (holds)
		return;
	printf("%d: %s\n", line, what);
	failed = 1;
}

#define CHECK(what) check((what) != 0, #what, __LINE__)

static void without_anything(void)
{
	const struct dmabroker_constraint *constraints;
	struct dmabroker_layout layout;
	uint64_t timeout;
	void *data;
	char *text;
	dmabroker_close(NULL);
	dmabroker_request_free(NULL);
	dmabroker_allocation_release(NULL);
	dmabroker_on_lost(NULL, NULL, NULL);
	dmabroker_unmap(NULL, 0);
	CHECK(dmabroker_open(NULL, NULL) == -EINVAL);
	CHECK(dmabroker_error(NULL) != NULL);
	CHECK(dmabroker_request_error(NULL) != NULL);
	CHECK(dmabroker_set_timeout(NULL, 1) == -EINVAL);
	CHECK(dmabroker_get_fd(NULL) == -EINVAL);
	CHECK(dmabroker_get_events(NULL) == -EINVAL);
	CHECK(dmabroker_get_timeout(NULL, &timeout) == -EINVAL);
	CHECK(dmabroker_dispatch(NULL) == -EINVAL);
	CHECK(dmabroker_request_new(NULL) == -EINVAL);
	CHECK(dmabroker_request_set_image(NULL, 1, 1, 1) == -EINVAL);
	CHECK(dmabroker_request_set_size(NULL, 1) == -EINVAL);
	CHECK(dmabroker_request_set_count(NULL, 1) == -EINVAL);
	CHECK(dmabroker_request_set_modifiers(NULL, NULL, 0) == -EINVAL);
	CHECK(dmabroker_request_set_label(NULL, "x") == -EINVAL);
	CHECK(dmabroker_request_add_device(NULL, "cpu", 0) == -EINVAL);
	CHECK(dmabroker_request_add_dev_t(NULL, 0, 0) == -EINVAL);
	CHECK(dmabroker_request_add_fd(NULL, 0, 0) == -EINVAL);
	CHECK(dmabroker_request_set_limit(NULL, 0, DMABROKER_PITCH_MIN, 0) == -EINVAL);
	CHECK(dmabroker_request_set_device_modifiers(NULL, 0, NULL, 0) == -EINVAL);
	CHECK(dmabroker_allocate(NULL, NULL, NULL) == -EINVAL);
	CHECK(dmabroker_allocate_async(NULL, NULL, NULL, NULL) == -EINVAL);
	CHECK(dmabroker_extend(NULL, 1) == -EINVAL);
	CHECK(dmabroker_explain(NULL, NULL, &layout, &text) == -EINVAL && text == NULL);
	CHECK(dmabroker_allocation_layout(NULL) == NULL);
	CHECK(dmabroker_allocation_path(NULL) == NULL);
	CHECK(dmabroker_allocation_count(NULL) == 0);
	CHECK(dmabroker_allocation_fd(NULL, 0) == -EINVAL);
	CHECK(dmabroker_allocation_take_fd(NULL, 0) == -EINVAL);
	CHECK(dmabroker_map(0, 1, DMABROKER_CPU_READ, NULL) == -EINVAL);
	CHECK(dmabroker_map(-1, 1, DMABROKER_CPU_READ, &data) == -EINVAL && data == NULL);
	CHECK(dmabroker_cpu_begin(-1, DMABROKER_CPU_READ) == -EINVAL);
	CHECK(dmabroker_cpu_end(0, 0) == -EINVAL);
	CHECK(dmabroker_error_constraints(NULL, &constraints) == -EINVAL && constraints == NULL);
}

static void requests(void)
{
	const uint64_t invalid = UINT64_C(0x00ffffffffffffff), both[] = { invalid, 0 };
	char wide[300];
	struct dmabroker_request *r;
	memset(wide, 'x', sizeof wide - 1);
	wide[sizeof wide - 1] = '\0';
	CHECK(dmabroker_request_new(&r) == 0);
	CHECK(dmabroker_request_set_image(r, 0, 1, 0x34325258) == -EINVAL);
	CHECK(dmabroker_request_set_image(r, 1, 1, 0) == -EINVAL);
	CHECK(dmabroker_request_set_image(r, 1, 1, 0xffffffff) == -EINVAL);
	CHECK(strcmp(dmabroker_request_error(r), "0xffffffff is no DRM format") == 0);
	CHECK(dmabroker_request_set_image(r, 1, 1, 0x34325258) == 0);
	CHECK(dmabroker_request_set_size(r, 0) == -EINVAL);
	CHECK(dmabroker_request_set_count(r, 0) == -EINVAL);
	CHECK(dmabroker_request_set_modifiers(r, NULL, 1) == -EINVAL);
	CHECK(dmabroker_request_set_modifiers(r, both, 0) == -EINVAL);
	CHECK(dmabroker_request_set_modifiers(r, &invalid, 1) == -EINVAL);
	CHECK(dmabroker_request_set_modifiers(r, both, 2) == 0);
	CHECK(dmabroker_request_set_label(r, "12345678901234567890123456789012") == -EINVAL);
	CHECK(dmabroker_request_set_label(r, NULL) == 0);
	CHECK(dmabroker_request_add_device(r, NULL, 0) == -EINVAL);
	CHECK(dmabroker_request_add_device(r, "", 0) == -EINVAL);
	CHECK(dmabroker_request_add_device(r, wide, 0) == -EINVAL);
	CHECK(dmabroker_request_add_device(r, "cpu", 1 << 9) == -EINVAL);
	CHECK(dmabroker_request_add_device(r, "cpu", DMABROKER_USE_READ) == 0);
	CHECK(dmabroker_request_add_dev_t(r, makedev(226, 0), DMABROKER_USE_SCANOUT) == 1);
	int node = open("/dev/null", O_RDONLY | O_CLOEXEC);
	CHECK(dmabroker_request_add_fd(r, node, 0) == 2);
	close(node);
	CHECK(dmabroker_request_add_fd(r, node, 0) == -EINVAL);
	CHECK(dmabroker_request_set_limit(r, 3, DMABROKER_PITCH_MIN, 0) == -EINVAL);
	CHECK(dmabroker_request_set_limit(r, -1, DMABROKER_PITCH_MIN, 0) == -EINVAL);
	CHECK(dmabroker_request_set_limit(r, 0, (enum dmabroker_limit)14, 0) == -EINVAL);
	CHECK(dmabroker_request_set_limit(r, 0, DMABROKER_PITCH_MIN, UINT64_C(1) << 32) == -EINVAL);
	CHECK(dmabroker_request_set_limit(r, 0, DMABROKER_PROTECTED, 2) == -EINVAL);
	CHECK(dmabroker_request_set_limit(r, 0, DMABROKER_SIZE_MULTIPLE, UINT64_C(1) << 32) == 0);
	CHECK(dmabroker_request_set_device_modifiers(r, 3, both, 2) == -EINVAL);
	CHECK(dmabroker_request_set_device_modifiers(r, 0, both, 2) == 0);
	for (int i = 3; i < 64; i++)
		CHECK(dmabroker_request_add_device(r, "cpu", 0) == i);
	CHECK(dmabroker_request_add_device(r, "cpu", 0) == -EINVAL);
	dmabroker_request_free(r);
}

static void memory(void)
{
	void *data;
	int fd = memfd_create("own", MFD_CLOEXEC);
	CHECK(ftruncate(fd, 8192) == 0);
	CHECK(dmabroker_map(fd, 8193, DMABROKER_CPU_READ, &data) == -EINVAL && data == NULL);
	CHECK(dmabroker_map(fd, 0, DMABROKER_CPU_READ, &data) == -EINVAL);
	CHECK(dmabroker_map(fd, 8192, 0, &data) == -EINVAL);
	CHECK(dmabroker_map(fd, 8192, 4, &data) == -EINVAL);
	CHECK(dmabroker_map(fd, 8192, DMABROKER_CPU_WRITE, &data) == 0);
	CHECK(dmabroker_cpu_begin(fd, DMABROKER_CPU_WRITE) == -ENOTTY);
	memset(data, 7, 8192);
	CHECK(dmabroker_cpu_end(fd, DMABROKER_CPU_WRITE) == -ENOTTY);
	dmabroker_unmap(data, 8192);
	CHECK(dmabroker_map(fd, 8192, DMABROKER_CPU_READ, &data) == 0);
	CHECK(((unsigned char *)data)[8191] == 7);
	dmabroker_unmap(data, 8192);
	CHECK(lseek(fd, 0, SEEK_CUR) == 0);
	close(fd);
	CHECK(dmabroker_map(fd, 8192, DMABROKER_CPU_READ, &data) == -EBADF);
}

/* With a service: what a broker refuses, and what a child may do. */
static void with_service(const char *bus)
{
	struct dmabroker *broker, *other;
	struct dmabroker_request *r;
	struct dmabroker_allocation *allocation;
	const struct dmabroker_constraint *constraints;
	uint64_t timeout;
	void *data;
	int status;
	CHECK(dmabroker_open(&broker, bus) == 0);
	if (broker == NULL)
		return;
	CHECK(dmabroker_open(&other, bus) == 0);
	CHECK(dmabroker_set_timeout(broker, 0) == -EINVAL);
	CHECK(dmabroker_set_timeout(broker, UINT64_MAX) == 0);
	CHECK(dmabroker_get_timeout(broker, NULL) == -EINVAL);
	CHECK(dmabroker_get_timeout(broker, &timeout) == 0 && timeout == UINT64_MAX);
	CHECK(dmabroker_error_constraints(broker, &constraints) == 0);
	CHECK(dmabroker_request_new(&r) == 0);
	CHECK(dmabroker_allocate(broker, NULL, &allocation) == -EINVAL);
	CHECK(dmabroker_allocate(broker, r, NULL) == -EINVAL);
	CHECK(dmabroker_allocate(broker, r, &allocation) == -EINVAL && allocation == NULL);
	CHECK(dmabroker_allocate_async(broker, r, NULL, NULL) == -EINVAL);
	CHECK(dmabroker_explain(broker, r, NULL, NULL) == -EINVAL);
	CHECK(dmabroker_request_set_image(r, 64, 64, 0x34325258) == 0);
	CHECK(dmabroker_allocate(broker, r, &allocation) == -EINVAL);
	CHECK(dmabroker_request_add_device(r, "\xff", 0) == 0);
	CHECK(dmabroker_allocate(broker, r, &allocation) == -EINVAL);
	dmabroker_request_free(r);

	CHECK(dmabroker_request_new(&r) == 0);
	CHECK(dmabroker_request_set_image(r, 64, 64, 0x34325258) == 0);
	CHECK(dmabroker_request_add_device(r, "cpu", DMABROKER_USE_READ | DMABROKER_USE_WRITE) == 0);
	CHECK(dmabroker_explain(broker, r, NULL, NULL) == 1);
	CHECK(dmabroker_allocate(broker, r, &allocation) == 0);
	CHECK(dmabroker_extend(allocation, 0) == -EINVAL);
	CHECK(dmabroker_extend(allocation, UINT32_MAX) == -EINVAL);
	CHECK(dmabroker_allocation_fd(allocation, 1) == -EINVAL);
	int fd = dmabroker_allocation_fd(allocation, 0);
	CHECK(fd >= 0 && (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0);
	CHECK(dmabroker_map(fd, dmabroker_allocation_layout(allocation)->size, DMABROKER_CPU_WRITE, &data) == 0);
	CHECK(((unsigned char *)data)[0] == 0);

	pid_t child = fork();
	if (child == 0) {
		struct dmabroker_allocation *another;
		failed = 0;
		CHECK(dmabroker_allocate(broker, r, &another) == -ECHILD);
		CHECK(dmabroker_explain(broker, r, NULL, NULL) == -ECHILD);
		CHECK(dmabroker_extend(allocation, 1) == -ECHILD);
		CHECK(dmabroker_dispatch(broker) == -ECHILD);
		CHECK(dmabroker_get_fd(broker) == -ECHILD);
		CHECK(dmabroker_get_timeout(broker, &timeout) == -ECHILD);
		CHECK(dmabroker_set_timeout(broker, 1) == -ECHILD);
		CHECK(strlen(dmabroker_error(broker)) > 0);
		CHECK(dmabroker_allocation_fd(allocation, 0) == fd);
		((unsigned char *)data)[0] = 42;
		dmabroker_allocation_release(allocation);
		CHECK(fcntl(fd, F_GETFD) < 0);
		dmabroker_close(broker);
		dmabroker_close(other);
		fflush(stdout);
		_exit(failed);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(((unsigned char *)data)[0] == 42);
	dmabroker_unmap(data, dmabroker_allocation_layout(allocation)->size);
	CHECK(dmabroker_extend(allocation, 2) == 0 && dmabroker_allocation_count(allocation) == 3);
	CHECK(dmabroker_allocation_take_fd(allocation, 0) == fd);
	CHECK(dmabroker_allocation_take_fd(allocation, 0) == -EBADF);
	CHECK(dmabroker_allocation_fd(allocation, 0) == -EBADF);
	CHECK(dmabroker_allocate(other, r, &allocation) == 0);
	dmabroker_request_free(r);
	dmabroker_close(broker);
	dmabroker_close(other);
	CHECK(fcntl(fd, F_GETFD) >= 0);
	close(fd);
}

int main(int argc, char **argv)
{
	without_anything();
	requests();
	memory();
	if (argc > 1)
		with_service(argv[1]);
	return failed;
}
