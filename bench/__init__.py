"""Measurements that are run by hand; the workloads of `pakkehjem bench` are in `gateway/ops/bench`."""
