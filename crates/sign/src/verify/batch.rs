use std::sync::Arc;

use lotse_digest::Digest;

use super::{Context, ImageVerdict, VerdictCache, Verifier, Wanted};
use crate::Attachments;

impl Verifier {
    /// Verifies a list of images, such as those of every container in a cluster: each digest once, and none again that the
    /// cache knows to be good. The answers are in the order of the list.
    ///
    /// An acceptance is kept for ever: it follows from the image, the signer, the requirements, the root and a time, and no
    /// later time makes it false. A refusal is not kept.
    ///
    /// # Errors
    ///
    /// The first error of `attachments`, which fetches what is attached to an image.
    pub fn verify_images<'i, E>(
        &self,
        images: impl IntoIterator<Item = &'i Digest>,
        mut attachments: impl FnMut(&Digest) -> Result<Attachments, E>,
        wanted: Wanted<'_>,
        context: &Context<'_>,
        cache: &VerdictCache<Arc<ImageVerdict>>,
    ) -> Result<Vec<Arc<ImageVerdict>>, E> {
        let question = self.question(wanted, context);
        let mut verdicts = Vec::new();
        for image in images {
            let key = Digest::sha256(&[question.as_bytes(), image.as_bytes()].concat());
            let mut failure = None;
            let verdict = cache.get_or_find(&key, || match attachments(image) {
                Ok(attachments) => {
                    let verdict = self.verify_image(&attachments, image, wanted, context);
                    let keep = verdict.is_accepted();
                    (Arc::new(verdict), keep)
                }
                Err(error) => {
                    failure = Some(error);
                    (Arc::new(ImageVerdict { verdicts: Vec::new(), unreadable: Vec::new() }), false)
                }
            });
            if let Some(error) = failure {
                return Err(error);
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    /// What is asked besides the image and the time, as a digest.
    fn question(&self, wanted: Wanted<'_>, context: &Context<'_>) -> Digest {
        let text =
            format!("{}\n{:?}\n{:?}\n{wanted:?}", self.root.digest(), context.signer, context.requirements);
        Digest::sha256(text.as_bytes())
    }
}
