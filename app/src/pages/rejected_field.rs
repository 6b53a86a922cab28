/// A field of a form that was not accepted.
#[derive(Debug, Clone)]
pub struct RejectedField {
    /// What was written.
    pub written: String,
    /// Why it was not accepted, in a sentence.
    pub reason: String,
}
