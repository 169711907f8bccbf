//! How plans travel: our node with its opaque body, all others as the engine has them.
//!
//! Clients, schedulers and workers need it alike: a scheduler decodes and encodes each plan,
//! though it never looks into a body. So one scheduler serves every job.

use std::fmt;
use std::sync::Arc;

use ballista_core::serde::BallistaPhysicalExtensionCodec;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use datafusion_proto::physical_plan::{PhysicalExtensionCodec, PhysicalProtoConverterExtension};

use crate::message::Body;
use crate::node::StepExec;
use crate::worker::Workshop;

#[derive(Default)]
pub(crate) struct StepCodec {
    others: BallistaPhysicalExtensionCodec,
    /// In worker processes: what runs the nodes.
    workshop: Option<Arc<Workshop>>,
}

impl StepCodec {
    pub fn of_worker(workshop: Arc<Workshop>) -> Self {
        Self { others: BallistaPhysicalExtensionCodec::default(), workshop: Some(workshop) }
    }
}

impl fmt::Debug for StepCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepCodec").finish_non_exhaustive()
    }
}

impl PhysicalExtensionCodec for StepCodec {
    fn try_decode(
        &self,
        bytes: &[u8],
        inputs: &[Arc<dyn ExecutionPlan>],
        context: &TaskContext,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if !Body::claims(bytes) {
            return self.others.try_decode(bytes, inputs, context, converter);
        }
        let [input] = inputs else {
            let found = format!("a step with {} inputs, not one", inputs.len());
            return Err(DataFusionError::Execution(found));
        };
        Ok(Arc::new(StepExec::new(Arc::clone(input), bytes.into(), self.workshop.clone())))
    }

    fn try_encode(
        &self,
        node: Arc<dyn ExecutionPlan>,
        bytes: &mut Vec<u8>,
        converter: &dyn PhysicalProtoConverterExtension,
    ) -> Result<()> {
        match node.downcast_ref::<StepExec>() {
            Some(step) => {
                bytes.extend_from_slice(step.body());
                Ok(())
            }
            None => self.others.try_encode(node, bytes, converter),
        }
    }
}
