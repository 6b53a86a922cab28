//! The browser's programs: each hydrates the page of its name that the server rendered, nothing else.

/// Two kilobytes smaller than the standard library's.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
