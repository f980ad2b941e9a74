/** Stands in for the package `long`, without which protobufjs reads 64 bits as a number. */
export const isLong = undefined;
