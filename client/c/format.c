/* SPDX-License-Identifier: MIT
 * DRM formats: their names on the bus, and how much memory they take at least. */
#include "private.h"

bool format_name(uint32_t format, char name[FOURCC_SIZE])
{
	size_t length = 4;
	for (size_t i = 0; i < 4; i++) {
		name[i] = (char)(format >> 8 * i & 0xff);
		if (name[i] < ' ' || name[i] > '~')
			return false;
	}
	while (length > 0 && name[length - 1] == ' ')
		length--;
	name[length] = '\0';
	return length > 0;
}

uint32_t format_code(const char *name)
{
	size_t length = strlen(name);
	uint32_t code = 0;
	if (length == 0 || length > 4)
		return 0;
	for (size_t i = 0; i < 4; i++) {
		char letter = i < length ? name[i] : ' ';
		if (letter < ' ' || letter > '~')
			return 0;
		code |= (uint32_t)letter << 8 * i;
	}
	return code;
}

/* As drm_fourcc.h describes them: planes, bits of a sample of the first and of the other planes, and how many pixels of the
 * image share a sample of the others. */
static const struct shape {
	const char *names; /* four characters each */
	uint8_t planes, bits, other_bits, across, down;
} shapes[] = {
	{ "R8  C8  D8  RGB8BGR8", 1, 8, 0, 1, 1 },
	{ "R16 RG88GR88RG16BG16XR15AR15XB15AB15RX15RA15BX15BA15XR12AR12XB12AB12RX12RA12BX12BA12", 1, 16, 0, 1, 1 },
	{ "YUYVYVYUUYVYVYUY", 1, 16, 0, 1, 1 },
	{ "RG24BG24", 1, 24, 0, 1, 1 },
	{ "XR24AR24XB24AB24RX24RA24BX24BA24XR30AR30XB30AB30RX30RA30BX30BA30RG32GR32AYUVXYUV", 1, 32, 0, 1, 1 },
	{ "XR48AR48XB48AB48XR4HAR4HXB4HAB4H", 1, 64, 0, 1, 1 },
	{ "NV12NV21", 2, 8, 16, 2, 2 },
	{ "NV16NV61", 2, 8, 16, 2, 1 },
	{ "NV24NV42", 2, 8, 16, 1, 1 },
	{ "P010P012P016", 2, 16, 32, 2, 2 },
	{ "P210", 2, 16, 32, 2, 1 },
	{ "NV15", 2, 10, 20, 2, 2 },
	{ "NV20", 2, 10, 20, 2, 1 },
	{ "YU12YV12", 3, 8, 8, 2, 2 },
	{ "YU16YV16", 3, 8, 8, 2, 1 },
	{ "YU24YV24", 3, 8, 8, 1, 1 },
	{ "YU11YV11", 3, 8, 8, 4, 1 },
	{ "YUV9YVU9", 3, 8, 8, 4, 4 },
};

static const struct shape *shape_of(uint32_t format)
{
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (const char *name = shapes[i].names; *name != '\0'; name += 4) {
			const char one[FOURCC_SIZE] = { name[0], name[1], name[2], name[3] };
			if (format_code(one) == format)
				return &shapes[i];
		}
	return NULL;
}

static uint64_t divided(uint64_t a, uint64_t b)
{
	return a / b + (a % b != 0);
}

uint64_t least_bytes(const struct dmabroker_layout *layout, uint32_t plane)
{
	const struct shape *shape = shape_of(layout->format);
	const uint64_t stride = layout->stride[plane];
	const bool is_linear = layout->modifier == 0;
	/* Tiles may be compressed, with planes of what that takes behind the one of the pixels. */
	if (shape == NULL || (!is_linear && (shape->planes > 1 || plane > 0)))
		return stride > 0 ? stride : UINT64_MAX;
	if (is_linear && layout->n_planes != shape->planes)
		return UINT64_MAX;
	const uint64_t across = plane == 0 ? 1 : shape->across, down = plane == 0 ? 1 : shape->down;
	const uint64_t bits = plane == 0 ? shape->bits : shape->other_bits;
	const uint64_t row = divided(divided(layout->width, across) * bits, 8);
	const uint64_t rows = divided(layout->height, down);
	if (stride < row)
		return UINT64_MAX;
	return is_linear ? stride * (rows - 1) + row : stride * rows; /* tiles are whole */
}
