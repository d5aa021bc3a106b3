"""What `explain` says of data, training and states, as key -> (English, Korean).

``{n:sample}`` is "1 sample" or "2 samples" in English.  In Korean, ``[은/는]`` after a number or a
shape is the particle that fits its sound; names are never followed by one.
"""

TEXTS = {
    "title": ("What {model} does with x {shape}", "x {shape} 데이터로 {model} 모델이 하는 일"),
    "hint": ("Note", "참고"),
    "input_heading": ("Input", "입력"),
    "layers_heading": ("Layers", "층"),
    "training_heading": ("Training", "학습"),
    "state_heading": ("State", "상태"),
    # ------------------------------------------------------------------------------------- input
    "axes_3": (
        "x has shape {shape}: {N:sample}, each of {T:timestep}, each timestep {D:feature}.",
        "x의 모양은 {shape}입니다. 샘플이 {N}개이고, 샘플마다 타임스텝이 {T}개, 타임스텝마다 "
        "특성이 {D}개 있습니다.",
    ),
    "axes_2": (
        "x has shape {shape}: {N:sample}, each of {D:feature}. There is no axis of timesteps.",
        "x의 모양은 {shape}입니다. 샘플이 {N}개이고, 샘플마다 특성이 {D}개 있습니다. 타임스텝 축은 "
        "없습니다.",
    ),
    "axes_integers": (
        "x has shape {shape}: {N:sample}, each of {T:timestep}, each timestep one integer: the "
        "number of a word, a letter or the like.",
        "x의 모양은 {shape}입니다. 샘플이 {N}개이고, 샘플마다 타임스텝이 {T}개 있으며, "
        "타임스텝마다 단어나 글자 따위의 번호인 정수가 하나씩 있습니다.",
    ),
    "axes_4": (
        "x has shape {shape}: {N:sample}, each of {T:timestep}, and each of these is a sequence of "
        "its own with {t:timestep} of {D:feature}.",
        "x의 모양은 {shape}입니다. 샘플이 {N}개이고 샘플마다 타임스텝이 {T}개 있습니다. 그 "
        "타임스텝 하나하나가 다시 시퀀스이며, 안쪽 타임스텝이 {t}개, 그마다 특성이 {D}개 있습니다.",
    ),
    "axes_other": (
        "x has shape {shape}: {N:sample}; the first axis is that of the samples.",
        "x의 모양은 {shape}입니다. 첫 축이 샘플 축이고, 샘플이 {N}개 있습니다.",
    ),
    "dtype_same": (
        "Its numbers are {dtype}, and the model computes in that, too.",
        "수의 형식은 {dtype}이며, 모델도 같은 형식으로 계산합니다.",
    ),
    "dtype_other": (
        "Its numbers are {dtype}; the model computes in {computed}, so it turns them into that.",
        "수의 형식은 {dtype}입니다. 모델은 {computed} 형식으로 계산하므로 수를 그 형식으로 "
        "바꿉니다.",
    ),
    "values": (
        "They go from {low} to {high}; the mean is {mean}.",
        "가장 작은 값은 {low}, 가장 큰 값은 {high}, 평균은 {mean}입니다.",
    ),
    "distinct": (
        "They go from {low} to {high}; there are {n} different ones.",
        "가장 작은 값은 {low}, 가장 큰 값은 {high}이며, 서로 다른 값이 {n}개 있습니다.",
    ),
    "first_sample": ("The first sample, x[0]:", "첫 샘플 x[0]:"),
    "feature": ("feature {k}", "특성 {k}"),
    "timestep": ("timestep {k}", "타임스텝 {k}"),
    "inner_timestep": ("timestep {k}, {j}", "타임스텝 {k}, {j}"),
    "integer": ("integer", "정수"),
    "value": ("value", "값"),
    "features_for_timesteps": (
        "The {D:number} of x[0], {row}, are features of one timestep. The LSTM takes a single "
        "step, so nothing is remembered from one number to the next. If they are meant to come "
        "one after another, they are timesteps: x.reshape({N}, {D}, 1).",
        "x[0]의 수 {D}개 {row}[은/는] 모두 한 타임스텝의 특성입니다. LSTM이 한 스텝만 거치므로 "
        "한 수에서 다음 수로 기억되는 것이 없습니다. 차례로 이어지는 수라면 타임스텝으로 "
        "바꾸세요: x.reshape({N}, {D}, 1).",
    ),
    "single_step": (
        "Each sample has a single timestep, and stateful is False: nothing comes before it, so "
        "recurrent_kernel never matters, and the LSTM works like a small dense network.",
        "샘플마다 타임스텝이 하나뿐이고 stateful은 False입니다. 앞에서 온 것이 없으므로 "
        "recurrent_kernel은 결과에 아무 영향을 주지 않고, LSTM은 작은 완전 연결 신경망처럼 "
        "동작합니다.",
    ),
    "one_sample": (
        "There is a single sample of {T:timestep}, so an epoch has one update. If it is one long "
        "series, cut it into samples: windows of, for example, {window:timestep} each.",
        "샘플이 하나뿐이고 그 안에 타임스텝이 {T}개 있어, 에포크마다 가중치 갱신이 한 번입니다. 긴 "
        "시계열 하나라면 여러 샘플로 자르세요. 예를 들어 타임스텝 {window}개짜리 창으로 자를 수 "
        "있습니다.",
    ),
    "large_integers": (
        "x holds whole numbers from {low} to {high}. To an LSTM these are sizes, and sigmoid and "
        "tanh can hardly tell apart numbers beyond 5 or so: scale them, for example "
        "x / {largest}; or, if they are the numbers of words, letters or classes, give them to an "
        "Embedding or make them one-hot (npylstm.utils.to_categorical).",
        "x에 {low}부터 {high}까지의 정수가 들어 있습니다. LSTM은 이것을 크기로 받아들이고, "
        "sigmoid와 tanh는 5쯤을 넘는 수를 거의 구별하지 못합니다. 예를 들어 x / {largest} 같은 "
        "식으로 크기를 줄이세요. 단어, 글자, 클래스의 번호라면 Embedding 층에 넣거나 원-핫으로 "
        "바꾸세요(npylstm.utils.to_categorical).",
    ),
    "large_values": (
        "The values of x go from {low} to {high}, and sigmoid and tanh can hardly tell apart "
        "numbers beyond 5 or so: subtract the mean {mean} and divide by the standard deviation "
        "{deviation}.",
        "x의 값은 {low}부터 {high}까지입니다. sigmoid와 tanh는 5쯤을 넘는 수를 거의 구별하지 "
        "못합니다. 평균 {mean}[을/를] 빼고 표준편차 {deviation}[으로/로] 나누세요.",
    ),
    "padding": (
        "There are samples, {n} of {N}, that begin or end with timesteps that are all zero, "
        "{longest} at most, and not as many everywhere. If that is padding, put Masking() in "
        "front of the LSTM, so that it passes over them; now it reads them as data.",
        "샘플 {N}개 가운데 {n}개는 모두 0인 타임스텝으로 시작하거나 끝납니다. 그 개수는 샘플마다 "
        "다르고 많게는 {longest}개입니다. 길이를 맞추려고 채운 것이라면 LSTM 앞에 Masking()을 "
        "두어 건너뛰게 하세요. 지금은 데이터로 읽습니다.",
    ),
    "padding_integers": (
        "There are samples, {n} of {N}, that begin or end with zeros, {longest} at most, and not "
        "as many everywhere. If 0 stands for nothing there, give the Embedding mask_zero=True, "
        "so that they are passed over; now 0 has a vector like any other integer.",
        "샘플 {N}개 가운데 {n}개는 0으로 시작하거나 끝납니다. 이어진 0의 개수는 샘플마다 다르고 "
        "많게는 {longest}개입니다. 0이 빈자리라는 뜻이라면 Embedding에 mask_zero=True를 주어 "
        "건너뛰게 하세요. 지금은 0에도 다른 정수처럼 벡터가 있습니다.",
    ),
    "not_finite": (
        "x holds NaN or infinities, {n:number}, the first one at x[{index}]; fit will refuse them. "
        "Drop or replace such values, for example with numpy.nan_to_num.",
        "x에 NaN이나 무한대가 {n}개 있으며, 첫 번째는 x[{index}]에 있습니다. fit이 받지 않으므로 "
        "빼거나 바꾸세요. 예를 들어 numpy.nan_to_num을 쓸 수 있습니다.",
    ),
    # ---------------------------------------------------------------------------------- training
    "epoch": (
        "An epoch is one pass through all {N:sample}; with epochs={epochs} each sample is seen "
        "{epochs:time}.",
        "에포크 하나는 샘플 {N}개를 모두 한 번 보는 것입니다. epochs={epochs}이면 샘플마다 "
        "{epochs}번 봅니다.",
    ),
    "default_batch_size": (
        "batch_size is not given, so it is {asked}.",
        "batch_size를 주지 않았으므로 {asked}입니다.",
    ),
    "fixed_batch_size": (
        "batch_size is not given, so it is {asked}, for which the stateful model was built.",
        "batch_size를 주지 않았으므로, stateful 모델을 만들 때 정한 {asked}입니다.",
    ),
    "one_batch": (
        "All {N:sample} go into a single batch (batch_size={asked}).",
        "샘플 {N}개가 모두 한 배치에 들어갑니다(batch_size={asked}).",
    ),
    "even_batches": (
        "In batches of {b:sample} these are {N} / {b} = {n:batch} an epoch.",
        "배치 크기가 {b}이므로 에포크마다 {N} / {b} = {n}배치입니다.",
    ),
    "uneven_batches": (
        "In batches of {b:sample} these are {n:batch} an epoch: {full} of {b} and a last one of "
        "{last}.",
        "배치 크기가 {b}이므로 에포크마다 {n}배치입니다. {b}개짜리가 {full}배치, 마지막 배치는 "
        "{last}개입니다.",
    ),
    "updates": (
        "Each batch goes forward, its loss is computed, the gradients go back, and the weights are "
        "updated once: {n} x {epochs} = {updates:update} in all.",
        "배치마다 앞으로 계산해 손실을 구하고, 기울기를 뒤로 전한 다음, 가중치를 한 번 "
        "갱신합니다. 가중치 갱신은 모두 {n} x {epochs} = {updates}번입니다.",
    ),
    "accumulated": (
        "The optimizer adds up the gradients of {k} batches before it updates the weights "
        "(gradient_accumulation_steps={k}): {n} x {epochs} = {batches:batch} make {updates:update} "
        "in all.",
        "옵티마이저는 {k}배치의 기울기를 모은 다음 가중치를 "
        "갱신합니다(gradient_accumulation_steps={k}). {n} x {epochs} = {batches}배치이므로 "
        "가중치 갱신은 모두 {updates}번입니다.",
    ),
    "waiting_before": (
        "The gradients of {n:batch} from before are counted in.",
        "앞서 모아 둔 {n}배치의 기울기도 여기에 들어갑니다.",
    ),
    "waiting_after": (
        "The gradients of the last {n:batch} wait for the next fit.",
        "마지막 {n}배치의 기울기는 다음 fit까지 기다립니다.",
    ),
    "shuffled": (
        "Before each epoch fit puts the samples into a new order (shuffle=True), so batches are "
        "made of other samples each time; the timesteps within a sample stay in order.",
        "fit은 에포크마다 샘플의 순서를 새로 섞으므로(shuffle=True) 배치에 드는 샘플이 매번 "
        "달라집니다. 샘플 안의 타임스텝 순서는 그대로입니다.",
    ),
    "shuffled_alone": (
        "Before each epoch fit puts the samples into a new order (shuffle=True); with a single "
        "batch of all of them that changes nothing but rounding.",
        "fit은 에포크마다 샘플의 순서를 새로 섞지만(shuffle=True), 모두 한 배치에 들어 있으므로 "
        "달라지는 것은 반올림 오차뿐입니다.",
    ),
    "not_shuffled": (
        "fit shuffles the samples unless it is told not to. Here it must be: pass shuffle=False, "
        "or a sample continues another one than it should.",
        "fit은 따로 정하지 않으면 샘플을 섞습니다. 이 모델에서는 반드시 shuffle=False를 "
        "주세요. 그러지 않으면 샘플이 엉뚱한 샘플을 이어받습니다.",
    ),
    "one_sample_order": (
        "With one sample there is nothing to shuffle.",
        "샘플이 하나라 섞을 것이 없습니다.",
    ),
    "wrong_batch_size": (
        "batch_size={given} was asked for, but this stateful model was built for batches of "
        "{fixed}, and fit takes no others. Here it is taken to be {fixed}.",
        "batch_size={given}[을/를] 주었지만, 이 stateful 모델은 크기 {fixed}의 배치에 맞춰 "
        "만들었으므로 fit이 다른 크기를 받지 않습니다. 여기서는 {fixed}[으로/로] 보고 설명합니다.",
    ),
    "left_over": (
        "{N:sample} cannot be cut into batches of {fixed}: {rest} would be left over, and fit "
        "refuses that. Leave the last {rest} out, as is done here: {used} = {n} x {fixed}.",
        "샘플 {N}개는 크기 {fixed}의 배치로 나누어떨어지지 않고 {rest}개가 남아, fit이 받지 "
        "않습니다. 여기서처럼 마지막 {rest}개를 빼세요: {used} = {n} x {fixed}.",
    ),
    "too_few": (
        "{N:sample} are too few for a single batch: this stateful model was built for batches of "
        "{fixed}, and fit takes no others.",
        "샘플이 {N}개라 배치 하나에도 모자랍니다. 이 stateful 모델은 크기 {fixed}의 배치에 맞춰 "
        "만들었으므로 fit이 다른 크기를 받지 않습니다.",
    ),
    "no_loss": (
        "The model is not compiled with a loss yet, so fit cannot run; for example "
        "model.compile(optimizer='adam', loss='mse').",
        "모델을 아직 손실과 함께 컴파일하지 않아 fit을 부를 수 없습니다. 예: "
        "model.compile(optimizer='adam', loss='mse').",
    ),
    "loss": ("Loss: {name}, {words}.", "손실: {name}, {words}."),
    "own_loss": ("Loss: {name}, a function of yours.", "손실: {name}, 직접 만든 함수."),
    "mean_of_samples": (
        "The number shown is the mean over samples.",
        "표시되는 값은 모든 샘플의 평균입니다.",
    ),
    "mean_of_timesteps": (
        "The number shown is the mean over samples and timesteps.",
        "표시되는 값은 모든 샘플과 타임스텝의 평균입니다.",
    ),
    "masked_loss": (
        "Masked timesteps do not count in it.",
        "마스크된 타임스텝은 손실에 들어가지 않습니다.",
    ),
    "optimizer": (
        "Optimizer: {name}, learning rate {rate}.",
        "옵티마이저: {name}, 학습률 {rate}.",
    ),
    "scheduled_optimizer": (
        "Optimizer: {name}; its learning rate follows a schedule.",
        "옵티마이저: {name}. 학습률은 스케줄을 따라 바뀝니다.",
    ),
    "metrics": (
        "Shown beside the loss, and of no influence on the weights: {names}.",
        "손실과 함께 보여 주기만 하고 가중치에는 영향을 주지 않는 것: {names}.",
    ),
    "price": (
        "Regularizers add the price of large weights or outputs to the loss.",
        "규제(regularizer)가 있어 가중치나 출력이 클수록 손실이 커집니다.",
    ),
    # ---------------------------------------------------------------------------------- targets
    "y_missing": (
        "y is not given. The model gives {shape}, so y needs that shape, too: {meaning}.",
        "y를 주지 않았습니다. 모델의 출력은 {shape}이므로 y도 같은 모양이어야 합니다: {meaning}.",
    ),
    "y_missing_labels": (
        "y is not given. The model gives {shape}, so y needs the shape {labels}: {meaning}.",
        "y를 주지 않았습니다. 모델의 출력은 {shape}이므로 y의 모양은 {labels}이어야 합니다: "
        "{meaning}.",
    ),
    "per_sample": ("one target for each sample", "샘플마다 목표 하나"),
    "per_timestep": ("one target for each timestep", "타임스텝마다 목표 하나"),
    "y_labels": (
        "y has shape {shape}, {what}: integer labels from {low} to {high}, {n} of the model's "
        "{K:class}. The first is {first}.",
        "y의 모양은 {shape}, {what}입니다. {low}부터 {high}까지의 정수 레이블이고, 모델의 클래스 "
        "{K}개 가운데 {n}개가 나옵니다. 첫 레이블은 {first}입니다.",
    ),
    "y_one_hot": (
        "y has shape {shape}, {what}: one-hot rows of {K:class}; the 1 stands at the right class. "
        "The first is class {first}.",
        "y의 모양은 {shape}, {what}입니다. 클래스 {K}개의 원-핫 벡터로, 정답 클래스 자리가 "
        "1입니다. 첫 번째 정답은 클래스 {first}입니다.",
    ),
    "y_binary": (
        "y has shape {shape}, {what}: zeros and ones, {percent} % of them ones.",
        "y의 모양은 {shape}, {what}입니다. 0과 1로 되어 있고 1이 {percent} %입니다.",
    ),
    "y_values": (
        "y has shape {shape}, {what}: {K:value} each, from {low} to {high}.",
        "y의 모양은 {shape}, {what}입니다. 목표마다 값이 {K}개이고 {low}부터 {high}까지입니다.",
    ),
    "y_other": (
        "y has shape {shape}, and the model gives {output}.",
        "y의 모양은 {shape}, 모델의 출력은 {output}입니다.",
    ),
    "y_misfit": (
        "y does not fit the model's output {output}, and fit will refuse it: {error}.",
        "y가 모델의 출력 {output}[과/와] 맞지 않아 fit이 받지 않습니다. 오류 메시지: {error}.",
    ),
    "y_shapes": (
        "y has the shape {shape}, but the model gives {output}. With integer labels and a sparse "
        "loss y has no last axis; with any other loss both must be alike.",
        "y의 모양은 {shape}인데 모델의 출력은 {output}입니다. 정수 레이블과 sparse 손실을 쓰면 "
        "y에 마지막 축이 없고, 다른 손실을 쓰면 둘의 모양이 같아야 합니다.",
    ),
    "y_lengths": (
        "x has {N:sample} and y has {n}; every sample needs one target.",
        "x에는 샘플이 {N}개, y에는 {n}개 있습니다. 샘플마다 목표가 하나씩 있어야 합니다.",
    ),
    "y_out_of_reach": (
        "y goes from {low} to {high}, but the model ends in {activation}, which gives numbers from "
        "{least} to {most} only: scale y, or end in a layer without an activation.",
        "y는 {low}부터 {high}까지인데, 모델 끝의 활성화 함수({activation})는 {least}부터 "
        "{most}까지의 수만 냅니다. y의 크기를 맞추거나 활성화 함수가 없는 층으로 끝내세요.",
    ),
    "y_large": (
        "y goes from {low} to {high}, while a new model gives numbers near 0 and moves by about "
        "the learning rate an update: subtract the mean {mean} and divide by {deviation}, and "
        "undo that for what predict gives.",
        "y는 {low}부터 {high}까지인데, 새 모델의 출력은 0에 가깝고 가중치를 갱신할 때마다 학습률 "
        "정도씩만 움직입니다. 평균 {mean}[을/를] 빼고 {deviation}[으로/로] 나누어 학습하고, "
        "predict의 결과에는 거꾸로 계산하세요.",
    ),
    "one_class": (
        "The model gives a single number and the loss is {loss}, in which the only class is "
        "always the right one. For yes or no use binary_crossentropy and a sigmoid; for K "
        "classes end in Dense(K, activation='softmax').",
        "모델이 수 하나만 내는데 손실이 {loss}입니다. 클래스가 하나뿐이면 이 손실에서는 언제나 "
        "그 클래스가 정답이 됩니다. 둘 중 하나를 고르는 문제라면 binary_crossentropy와 sigmoid를 "
        "쓰고, 클래스가 K개라면 Dense(K, activation='softmax')로 끝내세요.",
    ),
    "no_probabilities": (
        "The loss {loss} takes probabilities, but the model ends in {activation}, which gives "
        "none: end in {right}, or pass from_logits=True to the loss.",
        "손실({loss})은 확률을 받는데, 모델 끝의 활성화 함수({activation})는 확률을 내지 "
        "않습니다. {right} 함수로 끝내거나 손실에 from_logits=True를 주세요.",
    ),
    "several_outputs": (
        "The model has {n:output}, and a loss takes one: predict works, fit does not. Leave "
        "return_state off and set a merge_mode to train it.",
        "모델의 출력이 {n}개인데 손실은 하나만 받습니다. predict는 되지만 fit은 되지 않습니다. "
        "학습하려면 return_state를 끄고 merge_mode를 정하세요.",
    ),
    # ------------------------------------------------------------------------------------- state
    "stateless": (
        "No layer here has a state: each sample is computed on its own.",
        "상태가 있는 층이 없습니다. 샘플마다 따로 계산합니다.",
    ),
    "forgets": (
        "{names}: h and c start from zero for every sample in every batch. Within a sample they "
        "live for its {T:step}; then they are forgotten. Sample 1 knows nothing of sample 0, nor "
        "does the next batch of this one; only the weights stay.",
        "{names}: 모든 배치의 모든 샘플에서 h와 c가 0에서 시작합니다. h와 c는 한 샘플 안에서 스텝 "
        "{T}개 동안 이어진 다음 잊힙니다. 샘플 1은 샘플 0을 전혀 모르고, 다음 배치도 이 배치를 "
        "모릅니다. 남는 것은 가중치뿐입니다.",
    ),
    "forgets_each": (
        "{names}: h and c start from zero for every sample in every batch. Within a sample they "
        "live from its first step to its last; then they are forgotten. Sample 1 knows nothing "
        "of sample 0, nor does the next batch of this one; only the weights stay.",
        "{names}: 모든 배치의 모든 샘플에서 h와 c가 0에서 시작합니다. h와 c는 한 샘플의 첫 "
        "스텝부터 마지막 스텝까지 이어진 다음 잊힙니다. 샘플 1은 샘플 0을 전혀 모르고, 다음 "
        "배치도 이 배치를 모릅니다. 남는 것은 가중치뿐입니다.",
    ),
    "within_timesteps": (
        "Inside TimeDistributed every timestep of the outer sequence counts as a sample of its "
        "own, so nothing passes from one of them to the next: {names}.",
        "TimeDistributed 안에서는 바깥 시퀀스의 타임스텝 하나하나가 저마다 한 샘플이므로, 다음 "
        "타임스텝으로 이어지는 것이 없습니다: {names}.",
    ),
    "would_carry": (
        "With stateful=True and batches of {b}, sample i of a batch would start from the h and c "
        "that sample i of the batch before ended with ({pairs}). x would have to be laid out so "
        "that these really follow each other.",
        "stateful=True이고 배치 크기가 {b}이면, 배치의 i번째 샘플이 바로 앞 배치의 i번째 샘플이 "
        "끝난 h와 c에서 시작합니다({pairs}). 그러려면 x에서 이 샘플들이 실제로 이어지도록 "
        "놓아야 합니다.",
    ),
    "pair": ("sample {later} continues sample {earlier}", "샘플 {earlier} 다음에 샘플 {later}"),
    "would_carry_nothing": (
        "stateful=True would carry h and c from batch to batch, but all {N:sample} are one "
        "batch: sample i would only continue itself in the next epoch, unless the states are "
        "reset before.",
        "stateful=True이면 h와 c가 배치에서 배치로 이어지지만, 지금은 샘플 {N}개가 모두 한 "
        "배치입니다. 그래서 샘플은 다음 에포크의 자기 자신으로만 이어지고, 그 전에 상태를 "
        "초기화하면 이어지는 것이 없습니다.",
    ),
    "would_need_fixed": (
        "It needs a batch size that is fixed, Input(batch_shape={shape}), and divides {N}.",
        "배치 크기를 Input(batch_shape={shape})처럼 고정해야 하고, 샘플 수 {N}[이/가] 그 크기로 "
        "나누어떨어져야 합니다.",
    ),
    "divides": ("{b} does: {N} = {n} x {b}.", "{b}[은/는] 됩니다: {N} = {n} x {b}."),
    "does_not_divide": (
        "{b} does not; {divisors} would.",
        "{b}[은/는] 안 되고, 되는 크기는 {divisors}입니다.",
    ),
    "would_need_order": (
        "fit needs shuffle=False then, or the order is lost; and reset_states() whenever a new "
        "series begins, for example before each epoch, or sample 0 would continue the end of the "
        "epoch before.",
        "fit에는 shuffle=False를 주어야 순서가 지켜집니다. 에포크를 시작할 때처럼 새 시계열이 "
        "시작될 때마다 reset_states()를 부르세요. 그러지 않으면 샘플 0이 앞 에포크의 끝을 "
        "이어받습니다.",
    ),
    "carries": (
        "Stateful layers: {names}. Sample i of a batch starts from the h and c that sample i of "
        "the batch before ended with ({chain}). There are {b:such chain}, each of {n:sample}, "
        "which is {steps:timestep} in a row.",
        "stateful 층: {names}. 배치의 i번째 샘플은 바로 앞 배치의 i번째 샘플이 끝난 h와 c에서 "
        "시작합니다({chain}). 이렇게 이어지는 줄이 {b}개 있고, 줄마다 샘플 {n}개, 곧 타임스텝 "
        "{steps}개가 이어집니다.",
    ),
    "carries_alone": (
        "Stateful layers: {names}. They carry h and c from batch to batch, but here all samples "
        "are one batch: sample i starts from where sample i ended in the call before.",
        "stateful 층: {names}. h와 c가 배치에서 배치로 이어지지만, 지금은 샘플이 모두 한 "
        "배치입니다. 그래서 i번째 샘플은 바로 앞 호출에서 i번째 샘플이 끝난 곳에서 시작합니다.",
    ),
    "carries_values": (
        "The gradients do not follow: they go back to the beginning of the batch, and the states "
        "from before are plain numbers to them.",
        "기울기는 이어지지 않습니다. 배치의 처음까지만 거슬러 가고, 앞에서 온 상태는 그저 "
        "주어진 수로 봅니다.",
    ),
    "carried_now": (
        "Carried now by {name}: h and c {shape}, of norm {h} and {c}.",
        "지금 {name} 층에 있는 상태: h와 c의 모양은 {shape}, 노름은 각각 {h}, {c}입니다.",
    ),
    "carried_zero": (
        "Carried now by {name}: h and c {shape}, all zero, as after reset_states().",
        "지금 {name} 층에 있는 상태: h와 c의 모양은 {shape}, reset_states()를 부른 뒤처럼 모두 "
        "0입니다.",
    ),
    "carries_on": (
        "fit, evaluate and predict all move these states on, from epoch to epoch too. "
        "model.reset_states() sets them to zero and leaves the weights as they are: call it "
        "whenever a new series begins, for example before each epoch.",
        "fit, evaluate, predict 모두 이 상태를 이어받아 바꾸며, 에포크가 바뀌어도 이어집니다. "
        "model.reset_states()를 부르면 상태만 0이 되고 가중치는 그대로입니다. 에포크를 시작할 "
        "때처럼 새 시계열이 시작될 때마다 부르세요.",
    ),
}

LOSSES = {
    "MeanSquaredError": (
        "the mean of the squared differences between output and y",
        "출력과 y의 차이를 제곱한 값의 평균",
    ),
    "MeanAbsoluteError": (
        "the mean of the absolute differences between output and y",
        "출력과 y의 차이의 절댓값 평균",
    ),
    "MeanAbsolutePercentageError": (
        "the mean of the absolute differences between output and y, in percent of y",
        "출력과 y의 차이가 y의 몇 퍼센트인지의 평균",
    ),
    "MeanSquaredLogarithmicError": (
        "the mean of the squared differences between log(1 + output) and log(1 + y)",
        "log(1 + 출력)과 log(1 + y)의 차이를 제곱한 값의 평균",
    ),
    "Huber": (
        "half the squared difference where it is small, and in proportion to it where it is large",
        "차이가 작으면 제곱의 절반, 크면 차이에 비례하는 값",
    ),
    "LogCosh": (
        "the mean of log(cosh(difference between output and y))",
        "출력과 y의 차이에 log(cosh)를 적용한 값의 평균",
    ),
    "Poisson": (
        "the mean of output - y log(output), for y that are counts",
        "출력 - y log(출력)의 평균. y가 횟수일 때 씁니다",
    ),
    "KLDivergence": (
        "how far the distribution that comes out is from that in y",
        "출력의 분포가 y의 분포에서 떨어진 정도",
    ),
    "CosineSimilarity": (
        "minus the cosine of the angle between output and y",
        "출력과 y 사이 각의 코사인에 -1을 곱한 값",
    ),
    "CategoricalCrossentropy": (
        "-log of the probability that the model gives to the right class",
        "모델이 정답 클래스에 준 확률의 -log",
    ),
    "SparseCategoricalCrossentropy": (
        "-log of the probability that the model gives to the right class",
        "모델이 정답 클래스에 준 확률의 -log",
    ),
    "BinaryCrossentropy": (
        "-log of the probability that the model gives to the right one of 0 and 1",
        "0과 1 가운데 정답에 모델이 준 확률의 -log",
    ),
    "BinaryFocalCrossentropy": (
        "-log of the probability of the right one of 0 and 1, counting less where that is high",
        "0과 1 가운데 정답에 준 확률의 -log. 이미 확률이 높은 것은 덜 셉니다",
    ),
    "CategoricalFocalCrossentropy": (
        "-log of the probability of the right class, counting less where that is high",
        "정답 클래스에 준 확률의 -log. 이미 확률이 높은 것은 덜 셉니다",
    ),
}
