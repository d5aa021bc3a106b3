"""Which of Keras's tests are run against npylstm, and why others cannot apply: `keras_tests`.

An entry is a pattern for "Class.method", or for "method" of any class.  What is listed in
`CANNOT_APPLY` is run all the same, and has to fail.
"""

MODULES = (
    *("layers/rnn/lstm_test", "layers/rnn/rnn_test", "layers/rnn/bidirectional_test"),
    *("layers/rnn/stacked_rnn_cells_test", "layers/rnn/time_distributed_test"),
    *("layers/rnn/dropout_rnn_cell_test", "layers/core/masking_test", "layers/core/dense_test"),
    *("layers/core/embedding_test", "layers/regularization/dropout_test"),
    *("layers/reshaping/repeat_vector_test", "layers/reshaping/flatten_test"),
    *("layers/reshaping/reshape_test", "layers/normalization/layer_normalization_test"),
    *("layers/activations/activation_test", "activations/activations_test"),
    *("losses/losses_test", "losses/loss_test", "metrics/metric_test"),
    *("metrics/accuracy_metrics_test", "metrics/probabilistic_metrics_test"),
    *("metrics/regression_metrics_test", "metrics/confusion_metrics_test"),
    *("metrics/reduction_metrics_test", "optimizers/optimizer_test", "optimizers/sgd_test"),
    *("optimizers/rmsprop_test", "optimizers/adam_test", "optimizers/adamw_test"),
    *("optimizers/nadam_test", "optimizers/adamax_test", "optimizers/adagrad_test"),
    *("optimizers/adadelta_test", "optimizers/ftrl_test", "optimizers/lion_test"),
    "optimizers/schedules/learning_rate_schedule_test",
    *("initializers/random_initializers_test", "initializers/constant_initializers_test"),
    *("regularizers/regularizers_test", "constraints/constraints_test"),
    *("callbacks/callback_test", "callbacks/csv_logger_test", "callbacks/early_stopping_test"),
    *("callbacks/lambda_callback_test", "callbacks/learning_rate_scheduler_test"),
    *("callbacks/model_checkpoint_test", "callbacks/monitor_callback_test"),
    *("callbacks/reduce_lr_on_plateau_test", "callbacks/swap_ema_weights_test"),
    *("callbacks/terminate_on_nan_test", "utils/sequence_utils_test", "utils/numerical_utils_test"),
)

# What these modules import for a few comparisons; the tests do without, installed or not.
ABSENT = ("jax", "scipy", "torch")

# ----------------------------------------------------------------- what is not npylstm's to have
GRAPH = "symbolic tensors, or inputs and outputs of a functional model"
OWN_LAYERS = "layers, cells, models or metrics of the user's own, written for Keras's base classes"
VARIABLES = "Keras variables: their constraints, and those of metrics and optimizers"
PRECISION = "half precision, mixed precision, loss scaling"
QUANTIZED = "quantization and LoRA"
SPARSE = "sparse or ragged tensors"
FILES = "Keras's files and the loading of objects by name"
TENSORFLOW = "TensorFlow's checkpoints, variables or tensors as results"
OTHER_BACKENDS = "a test of Keras on another backend"
SCIPY = "compares with scipy"
PRIVATE = "Keras's own helpers and private attributes"
IMAGES = "images, and where their channels are"

# ---------------------------------------------------------------------- where npylstm differs
TYPES = "npylstm raises TypeError for a wrong type, where Keras raises ValueError"
TEXTS = "the text of an error, which is npylstm's own"
UNBUILT = "npylstm predicts with models that are built"
AS_LOSS = "Keras gives a function for the name of a loss, npylstm a Loss"
FLAT = "npylstm lists the shapes of all states in one list"
ONE_ROW = "outputs without an axis of samples"
OUTPUT_WEIGHTS = (
    "npylstm weighs samples and timesteps, not single outputs, and broadcasts no weights"
)
LATER = "a setting that is changed after the layer was built"
UNLIKE_KERAS = "Keras's own configuration of Huber forgets delta; npylstm's has it"
GRADIENTS = "no gradients, or gradients that replace their variables: models here have none such"
NAMES = "names that are counted over the whole process"
LINES = "lines as Keras's progress bar prints them"

# -------------------------------------------------------------------------- what npylstm lacks


def lacks(what):
    """Return the reason for what is simply not there."""
    return f"npylstm has no {what}"


def refuses(what):
    """Return the reason for what Keras makes something of, though it is mostly a mistake."""
    return f"npylstm refuses {what}"


CANNOT_APPLY: dict[str, dict[str, str]] = {
    "layers/rnn/rnn_test": {OWN_LAYERS: "RNNTest.*"},
    "layers/rnn/bidirectional_test": {
        lacks("SimpleRNN or GRU"): (
            "test_basics test_correctness test_masking test_keeps_use_cudnn"
            " test_fused_gru_eligibility test_fused_gru_matches_unfused"
        ),
        PRIVATE: "test_fused_lstm_eligibility",
    },
    "layers/rnn/stacked_rnn_cells_test": {
        OWN_LAYERS: "test_basics test_correctness_*_stack test_statefullness_*_stack",
        FLAT: "test_return_state_stacked_lstm_cell",
    },
    "layers/rnn/time_distributed_test": {
        IMAGES: "test_build",
        OWN_LAYERS: "test_masking",
        refuses("fractions in an Embedding, which Keras cuts off"): "test_with_mask_zero",
        refuses("masks of more axes than samples and timesteps"): (
            "test_mask_validation_with_3d_mask test_mask_validation_with_correct_shape"
        ),
    },
    "layers/rnn/dropout_rnn_cell_test": {OWN_LAYERS: "DropoutRNNCellTest.*"},
    "layers/core/masking_test": {
        OWN_LAYERS: "test_masking_correctness",
        FILES: "test_masking_with_tensor",
    },
    "layers/core/dense_test": {
        QUANTIZED: "*quantize* *lora* *int4* *int8* *awq* *gptq*",
        SPARSE: "test_dense_sparse",
        TYPES: "*_units_raises_float *_units_raises_none *_units_raises_string",
        VARIABLES: "test_dense_constraints",
        LATER: "test_dense_without_activation_set",
        FILES: "test_legacy_load_own_variables",
    },
    "layers/core/embedding_test": {
        QUANTIZED: "*quantize* *lora* *int4* *int8*",
        SPARSE: "test_sparse test_ragged test_correctness_sparse",
        TYPES: "test_invalid_input_dim test_invalid_output_dim",
        VARIABLES: "test_embedding_constraints",
        ONE_ROW: "test_correctness test_embedding_basics",
        FILES: "test_legacy_load_own_variables",
    },
    "layers/reshaping/repeat_vector_test": {GRAPH: "test_repeat_vector_with_dynamic_*"},
    "layers/reshaping/flatten_test": {
        IMAGES: "test_flatten_dense test_flatten_sparse test_flatten_with_scalar_channels",
        GRAPH: "test_flatten_symbolic_*",
        UNBUILT: "test_flatten_with_dynamic_batch_size_*",
    },
    "layers/reshaping/reshape_test": {
        GRAPH: "test_reshape_sets_static_shape test_reshape_with_dynamic_*",
        SPARSE: "test_reshape_sparse",
    },
    "layers/normalization/layer_normalization_test": {
        lacks("normalization without a mean (`rms_scaling`)"): (
            "test_ln_basics test_output_with_rms_scaling"
        ),
        lacks("normalization over other axes than the last"): "test_unsorted_axis",
    },
    "activations/activations_test": {
        lacks("such function; one of NumPy's ufuncs can be given to a layer in its place"): (
            "test_celu test_glu test_hard_shrink test_hard_silu test_hard_tanh test_log_sigmoid"
            " test_log_softmax_* test_temporal_log_softmax test_mish test_relu6 test_soft_shrink"
            " test_sparse_* test_sparsemax test_squareplus test_tanh_shrink test_threshold"
        ),
        lacks("parameters of activations, nor another axis of softmax"): (
            "test_relu_* test_leaky_relu test_softmax_2d_axis_0 test_softmax_3d_axis_tuple"
            " test_softmax_higher_* test_softmax_negative_axis"
        ),
        SCIPY: "test_gelu",
    },
    "losses/losses_test": {
        PRECISION: "*.test_dtype_arg",
        lacks("hinge losses"): "HingeTest.* SquaredHingeTest.* CategoricalHingeTest.*",
        lacks("losses of images, of pairs or of alignments"): (
            "CTCTest.* DiceTest.* TverskyTest.* CircleTest.*"
            " CategoricalGeneralizedCrossEntropyTest.*"
        ),
        lacks("other axis of a loss than the last"): "CosineSimilarityTest.test_[ac]*",
        lacks("`ignore_class`: a mask or weights of 0 do the same"): "test_ignore_class",
        TEXTS: "test_*_segmentation_different_axis",
        UNLIKE_KERAS: "HuberLossTest.test_config",
    },
    "losses/loss_test": {
        PRECISION: "test_dtype_arg test_default_dtype",
        AS_LOSS: "test_get_method test_pickle",
        OUTPUT_WEIGHTS: "test_mask_and_sample_weight_rank2",
        PRIVATE: "test_squeeze_or_expand",
    },
    "metrics/metric_test": {
        OWN_LAYERS: (
            "test_default_dtype test_dtype_arg test_end_to_end_flow test_serialization"
            " test_stateless_* test_submetric_tracking test_variable_tracking"
        ),
        refuses("None for a metric"): "test_get_method",
    },
    "metrics/accuracy_metrics_test": {
        VARIABLES: "*.test_config",
        OUTPUT_WEIGHTS: "test_weighted_nd_*",
        refuses("labels of another shape than the outputs"): "test_reshape_matches",
        lacks("`from_sorted_ids`"): "*from_sorted_ids*",
    },
    "metrics/probabilistic_metrics_test": {
        PRIVATE: "KLDivergenceTest.test_config",
        lacks("configurations of metrics"): "PoissonTest.test_config *Crossentropy*.test_config",
        lacks("`ignore_class`: a mask or weights of 0 do the same"): "test_ignore_class*",
    },
    "metrics/regression_metrics_test": {
        PRIVATE: "Mean*.test_config Root*.test_config LogCosh*.test_config",
        lacks("other axis of a metric than the last"): "CosineSimilarityTest.test_[ac]*",
        lacks("R2Score"): "R2ScoreTest.*",
    },
    "metrics/confusion_metrics_test": {
        lacks("areas of several labels (`multi_label`) and `label_weights`"): (
            "MultiAUCTest.* AUCTest.test_config"
        ),
        lacks("area under the curve of precision and gain"): "AUCTest.*prgain*",
        VARIABLES: (
            "PrecisionTest.test_config RecallTest.test_config AUCTest.test_config_manual_thresholds"
            " *PositivesTest.test_config *NegativesTest.test_config TruePositiveTest.test_config"
            " *AtSpecificityTest.test_config *AtSensitivityTest.test_config"
            " *AtRecallTest.test_config *AtPrecisionTest.test_config"
        ),
        lacks("loss that chooses itself by the outputs (`crossentropy`)"): (
            "test_handles_sas_metrics"
        ),
        ONE_ROW: "test_unweighted_top_k test_unweighted_top_k_and_threshold",
        OUTPUT_WEIGHTS: (
            "PrecisionTest.test_multiple_updates RecallTest.test_multiple_updates"
            " PrecisionTest.test_weighted* RecallTest.test_weighted*"
            " FalsePositivesTest.test_weighted_with_thresholds"
            " TrueNegativesTest.test_weighted_with_thresholds"
            " TruePositiveTest.test_weighted_with_thresholds"
        ),
        SCIPY: "AUCTest.test_extra_dims",
    },
    "metrics/reduction_metrics_test": {
        VARIABLES: "*.test_config",
        OUTPUT_WEIGHTS: "test_weighted_nd_broadcast test_weighted_broadcast",
        GRAPH: (
            "test_weighted_dynamic_shape test_weighted_dynamic_shapes"
            " test_binary_accuracy_with_boolean_inputs"
        ),
    },
    "optimizers/optimizer_test": {
        VARIABLES: "test_constraints_are_applied test_set_weights",
        GRADIENTS: "test_empty_gradients test_mixed_with_tf_variables test_overwrite_*",
        refuses("targets of another shape than the outputs"): "test_ema_with_model_fit",
        refuses("None for an optimizer"): "test_get_method",
        lacks("Adafactor"): "*_optimizers10 *_weigth_decay10",
        NAMES: "test_optimizer_auto_naming",
        PRECISION: "test_static_loss_scaling",
        TENSORFLOW: "test_tf_checkpointing",
    },
    "optimizers/adam_test": {
        lacks("`exclude_from_weight_decay`"): "test_weight_decay",
        VARIABLES: "test_ema",
    },
    "optimizers/nadam_test": {
        lacks("`exclude_from_weight_decay`"): "test_weight_decay",
        GRADIENTS: "test_build_with_empty_var_list",
    },
    **{
        f"optimizers/{name}_test": {lacks("`exclude_from_weight_decay`"): "test_weight_decay"}
        for name in ("sgd", "rmsprop", "adamw", "adamax", "adagrad", "adadelta", "lion")
    },
    "initializers/random_initializers_test": {
        PRIVATE: "test_compute_fans_with_axes",
        TENSORFLOW: "test_get_method_with_tensor",
        lacks("attention"): "test_mha_query_projection_variance",
        lacks("SeedGenerator: a seed is a number"): (
            "test_random_normal test_serialization_with_seed_generator"
        ),
    },
    "initializers/constant_initializers_test": {
        lacks("Constant of an array: the array itself is an initializer"): (
            "test_constant_initializer_array_value"
        ),
        lacks("STFT"): "test_stft_initializer",
    },
    "regularizers/regularizers_test": {
        TEXTS: "test_orthogonal_regularizer_*_validation",
        PRIVATE: "ValidateFloatArgTest.*",
    },
    "callbacks/callback_test": {OWN_LAYERS: "test_model_state_is_current_on_epoch_end"},
    "callbacks/early_stopping_test": {lacks("F1Score"): "test_early_stopping"},
    "callbacks/monitor_callback_test": {lacks("F1Score"): "test_monitor_op_logic"},
    "callbacks/learning_rate_scheduler_test": {
        VARIABLES: "test_updates_learning_rate",
        LINES: "test_verbose_logging",
    },
    "callbacks/reduce_lr_on_plateau_test": {LINES: "test_verbose_logging"},
    "callbacks/model_checkpoint_test": {
        GRAPH: "test_model_checkpoint_loading",
        FILES: "test_model_checkpoint_options",
    },
    "callbacks/swap_ema_weights_test": {
        FILES: "test_swap_ema_weights_on_epoch test_swap_ema_weights_with_tf_distribute",
        PRECISION: "test_swap_ema_weights_with_loss_scale_optimizer",
    },
    "callbacks/terminate_on_nan_test": {
        refuses("targets that are not finite"): (
            "*_graceful_stop *_raises_error *_on_train_end *_later_batch"
        ),
        lacks("BackupAndRestore"): "test_raise_error_terminate_preserves_backup",
    },
    "utils/numerical_utils_test": {
        lacks("`normalize`"): "test_normalize*",
        TENSORFLOW: "test_to_categorical_with_backend_tensor",
        PRIVATE: "test_build_pos_neg_masks",
    },
}

# These are not even tried.
NOT_RUN: dict[str, dict[str, str]] = {
    "layers/rnn/bidirectional_test": {OTHER_BACKENDS: "test_torch_cudnn_*"},
}
