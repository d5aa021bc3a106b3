"""What `explain` says of layers, as key -> (English, Korean); see `texts`."""

LAYER_TEXTS = {
    "layer": ("{name} ({kind}): {shape} -> {out}", "{name} ({kind}): {shape} -> {out}"),
    "first_axis": (
        "The first axis stays {N}: every layer treats each sample on its own. In fit a batch goes "
        "through at a time, so there it is {b}.",
        "첫 축은 늘 {N}입니다. 모든 층이 샘플을 따로따로 다루기 때문입니다. fit에서는 한 배치씩 "
        "지나가므로 그때의 첫 축은 {b}입니다.",
    ),
    "not_built": (
        "The model is not built yet: there are no weights, and explaining makes none. These are "
        "the shapes and numbers that it will have when fit builds it for this x.",
        "아직 빌드(build)하지 않은 모델이라 가중치가 없으며, 이 설명도 가중치를 만들지 않습니다. "
        "여기 적은 모양과 개수는 fit이 이 x에 맞춰 모델을 빌드할 때의 것입니다.",
    ),
    "total": ("In all: {n:weight}.", "가중치는 모두 {n}개입니다."),
    # -------------------------------------------------------------------------------------- LSTM
    "reads": (
        "Reads the {T:timestep} of each sample one after the other, from the first to the last, "
        "with {D:feature} at each.",
        "샘플마다 타임스텝 {T}개를 처음부터 끝까지 하나씩 차례로 읽습니다. 타임스텝마다 특성이 "
        "{D}개 있습니다.",
    ),
    "reads_backwards": (
        "Reads the {T:timestep} of each sample one after the other, from the last to the first "
        "(go_backwards=True), with {D:feature} at each.",
        "샘플마다 타임스텝 {T}개를 끝에서 처음으로 하나씩 거꾸로 읽습니다(go_backwards=True). "
        "타임스텝마다 특성이 {D}개 있습니다.",
    ),
    "reads_one": (
        "Reads the only timestep of each sample, with {D:feature}.",
        "샘플마다 하나뿐인 타임스텝을 읽습니다. 특성은 {D}개입니다.",
    ),
    "makes_states": (
        "Each step makes a new hidden state h and a new cell state c, {U:number} each, from the "
        "features of its timestep and from h and c of the step before: so what came earlier has a "
        "say in what comes later.",
        "스텝마다 그 타임스텝의 특성과 바로 앞 스텝의 h, c로 새 은닉 상태 h와 새 셀 상태 c를 "
        "만듭니다. h와 c에는 수가 {U}개씩 있습니다. 이렇게 앞에서 읽은 것이 뒤에 영향을 줍니다.",
    ),
    "makes_states_once": (
        "From them it makes the hidden state h and the cell state c, {U:number} each.",
        "이것으로 은닉 상태 h와 셀 상태 c를 만듭니다. h와 c에는 수가 {U}개씩 있습니다.",
    ),
    "gives_last": (
        "It gives out only the h after the last step: {out}. With return_sequences=True it would "
        "be the h after every step: {other}.",
        "마지막 스텝의 h만 내보냅니다: {out}. return_sequences=True이면 모든 스텝의 h를 "
        "내보냅니다: {other}.",
    ),
    "gives_all": (
        "It gives out the h after every step: {out}. With return_sequences=False it would be only "
        "the h after the last step: {other}.",
        "모든 스텝의 h를 내보냅니다: {out}. return_sequences=False이면 마지막 스텝의 h만 "
        "내보냅니다: {other}.",
    ),
    "order_of_steps": (
        "They come in the order of the steps: the first is that of the last timestep.",
        "출력은 읽은 순서대로 나옵니다. 곧 첫 번째가 마지막 타임스텝의 출력입니다.",
    ),
    "gives_states": (
        "return_state=True: after the output come the h and c of the last step, {state}, as "
        "further outputs.",
        "return_state=True이므로 출력 다음에 마지막 스텝의 h와 c도 내보냅니다: {state}.",
    ),
    "starts_from_nothing": (
        "A single step that starts from zeros: h and c before it are zero, so recurrent_kernel "
        "({n:weight}) and the forget gate change nothing.",
        "0에서 시작해 한 스텝만 거칩니다. 앞의 h와 c가 0이므로 recurrent_kernel(가중치 "
        "{n}개)과 망각 게이트는 결과에 아무 영향을 주지 않습니다.",
    ),
    "lstm_weights": (
        "Weights: 4 x (D + U + 1) x U = 4 x ({D} + {U} + 1) x {U} = {n}: for the gates i, f, o "
        "and the candidate g, each of the U units has D weights for the features, U for the h of "
        "the step before, and a bias. Every timestep uses the same weights.",
        "가중치: 4 x (D + U + 1) x U = 4 x ({D} + {U} + 1) x {U} = {n}개. 게이트 i, f, o와 후보 "
        "값 g 하나하나에 대해, 유닛 U개마다 특성에 대한 가중치 D개, 앞 스텝의 h에 대한 가중치 "
        "U개, 편향 1개가 있습니다. 모든 타임스텝이 같은 가중치를 씁니다.",
    ),
    "lstm_weights_no_bias": (
        "Weights: 4 x (D + U) x U = 4 x ({D} + {U}) x {U} = {n}: for the gates i, f, o and "
        "the candidate g, each of the U units has D weights for the features and U for the h of "
        "the step before, and no bias. Every timestep uses the same weights.",
        "가중치: 4 x (D + U) x U = 4 x ({D} + {U}) x {U} = {n}개. 게이트 i, f, o와 후보 값 g "
        "하나하나에 대해, 유닛 U개마다 특성에 대한 가중치 D개와 앞 스텝의 h에 대한 가중치 U개가 "
        "있고 편향은 없습니다. 모든 타임스텝이 같은 가중치를 씁니다.",
    ),
    "is_stateful": (
        "stateful=True: a batch starts from the states that the one before ended with; see State.",
        "stateful=True이므로 앞 배치가 끝난 상태에서 다음 배치가 시작합니다. '상태' 부분을 보세요.",
    ),
    "drops_input": (
        "In training only, dropout={rate} drops each input feature with that chance, the same "
        "ones at all timesteps of a sample.",
        "학습할 때만 입력 특성을 확률 {rate}[으로/로] 끕니다(dropout). 한 샘플의 모든 "
        "타임스텝에서 같은 특성이 꺼집니다.",
    ),
    "drops_state": (
        "In training only, recurrent_dropout={rate} does that to the numbers of h on their way "
        "to the next step.",
        "학습할 때만 다음 스텝으로 가는 h의 수를 확률 {rate}[으로/로] 끕니다(recurrent_dropout).",
    ),
    "passes_over": (
        "Masked timesteps are passed over: h and c stay what they were.",
        "마스크된 타임스텝은 건너뛰며, h와 c는 그대로입니다.",
    ),
    "output_again": (
        "What it gives out there is the last output again, or zeros where there is none yet.",
        "그 자리에는 바로 앞의 출력을 다시 내보내고, 앞선 출력이 없으면 0을 내보냅니다.",
    ),
    "output_zero": (
        "What it gives out there is zeros.",
        "그 자리에는 0을 내보냅니다.",
    ),
    # ----------------------------------------------------------------------------- RNN and cells
    "rnn": (
        "Runs its cell at each of the {T:timestep} of each sample, in order.",
        "샘플마다 타임스텝 {T}개에서 차례로 셀을 돌립니다.",
    ),
    "rnn_backwards": (
        "Runs its cell at each of the {T:timestep} of each sample, from the last to the first "
        "(go_backwards=True).",
        "샘플마다 타임스텝 {T}개에서, 끝에서 처음으로 거꾸로 셀을 돌립니다(go_backwards=True).",
    ),
    "cell": (
        "One step: from the {D:feature} that come in and from h and c before, it makes a new "
        "hidden state h and a new cell state c, {U:number} each; h is its output.",
        "한 스텝: 들어온 특성 {D}개와 앞의 h, c로 새 은닉 상태 h와 새 셀 상태 c를 만듭니다. h와 "
        "c에는 수가 {U}개씩 있으며, h가 셀의 출력입니다.",
    ),
    "stack": (
        "{n:cell} on top of each other take each timestep together: each is fed with the h of the "
        "one before, and has an h and c of its own.",
        "쌓아 올린 셀 {n}개가 타임스텝을 함께 처리합니다. 셀마다 앞 셀의 h를 입력으로 받고, "
        "h와 c도 셀마다 따로 있습니다.",
    ),
    "cell_alone": (
        "A cell takes one step from states that it has to be given, which a model does not do: put "
        "it into an RNN layer, or use an LSTM layer.",
        "셀은 상태를 받아 한 스텝만 처리하는데, 모델은 상태를 넘겨주지 않습니다. RNN 층 안에 "
        "넣거나 LSTM 층을 쓰세요.",
    ),
    # ----------------------------------------------------------------------------- Bidirectional
    "bidirectional": (
        "Two layers with weights of their own read each sample in opposite directions.",
        "가중치가 따로 있는 두 층이 샘플을 서로 반대 방향으로 읽습니다.",
    ),
    "ends": (
        "Each gives out its h after its own last step: one has just read the last timestep then, "
        "the other the first.",
        "두 층 모두 자기의 마지막 스텝에서 나온 h를 내보냅니다. 한 층은 마지막 타임스텝을, 다른 "
        "층은 첫 타임스텝을 막 읽은 때입니다.",
    ),
    "aligned": (
        "The outputs of the other direction are put back into the order of time, so that those of "
        "the same timestep come together.",
        "반대 방향의 출력은 시간 순서로 되돌려, 같은 타임스텝의 출력끼리 만나게 합니다.",
    ),
    "merge_concat": (
        "They are put side by side (merge_mode='concat'): {a} + {b} = {n:feature}, {out}.",
        "둘을 나란히 잇습니다(merge_mode='concat'): 특성 {a} + {b} = {n}개, {out}.",
    ),
    "merge_sum": (
        "They are added (merge_mode='sum'): {out}.",
        "둘을 더합니다(merge_mode='sum'): {out}.",
    ),
    "merge_mul": (
        "They are multiplied, number by number (merge_mode='mul'): {out}.",
        "둘을 수끼리 곱합니다(merge_mode='mul'): {out}.",
    ),
    "merge_ave": (
        "Their mean is taken (merge_mode='ave'): {out}.",
        "둘의 평균을 냅니다(merge_mode='ave'): {out}.",
    ),
    "merge_none": (
        "They are not merged (merge_mode=None): it gives out both, {out} each.",
        "둘을 합치지 않고(merge_mode=None) 둘 다 내보냅니다: 각각 {out}.",
    ),
    "gives_both_states": (
        "return_state=True: after that come h and c of the last step of both directions, as "
        "further outputs.",
        "return_state=True이므로 그다음에 두 방향의 마지막 스텝 h와 c도 내보냅니다.",
    ),
    # ------------------------------------------------------------------------- TimeDistributed
    "time_distributed": (
        "Applies the layer inside to each timestep on its own, with the same weights: {N} x {T} = "
        "{n:input} of shape {one}. No timestep sees another one here.",
        "안에 든 층을 타임스텝마다 따로, 같은 가중치로 적용합니다: 모양이 {one}인 입력이 {N} x "
        "{T} = {n}개입니다. 여기서는 타임스텝끼리 서로를 보지 못합니다.",
    ),
    # ------------------------------------------------------------------------------------- Dense
    "dense": (
        "Each of the {U:output} is a sum of all {D:feature}, each times its weight{bias}.",
        "출력 {U}개는 저마다 특성 {D}개에 가중치를 곱해 모두 더한 값입니다{bias}.",
    ),
    "dense_one": (
        "The output is the sum of all {D:feature}, each times its weight{bias}.",
        "출력은 특성 {D}개에 가중치를 곱해 모두 더한 값입니다{bias}.",
    ),
    "and_bias": (", plus a bias", "(편향도 더합니다)"),
    "dense_in_time": (
        "It does so at each of the {T:timestep} with the same weights; no timestep sees another.",
        "타임스텝 {T}개에서 저마다 같은 가중치로 그렇게 하며, 타임스텝끼리는 서로를 보지 못합니다.",
    ),
    "dense_weights": (
        "Weights: (D + 1) x U = ({D} + 1) x {U} = {n}.",
        "가중치: (D + 1) x U = ({D} + 1) x {U} = {n}개.",
    ),
    "dense_weights_no_bias": (
        "Weights: D x U = {D} x {U} = {n}, without a bias.",
        "가중치: D x U = {D} x {U} = {n}개. 편향은 없습니다.",
    ),
    "softmax": (
        "softmax then makes them {U:positive number} with the sum 1, the probabilities of "
        "{U:class}.",
        "그다음 softmax가 이들을 더하면 1이 되는 양수 {U}개, 곧 클래스 {U}개의 확률로 바꿉니다.",
    ),
    "sigmoid": (
        "sigmoid then brings each to between 0 and 1.",
        "그다음 sigmoid가 저마다 0과 1 사이의 수로 바꿉니다.",
    ),
    "activation_after": (
        "Then comes the activation: {name}.",
        "그다음 활성화 함수를 적용합니다: {name}.",
    ),
    # ---------------------------------------------------------------------------- the small ones
    "embedding": (
        "Looks up a vector of {E:number} for each integer: {V} are known, from 0 to {last}. The "
        "vectors are learnt.",
        "정수마다 수 {E}개짜리 벡터를 찾아 줍니다. 받는 정수는 0부터 {last}까지 {V}개이고, "
        "벡터는 학습으로 정해집니다.",
    ),
    "embedding_weights": (
        "Weights: V x E = {V} x {E} = {n}.",
        "가중치: V x E = {V} x {E} = {n}개.",
    ),
    "masks_zero": (
        "mask_zero=True: timesteps with 0 are masked.",
        "mask_zero=True이므로 0이 있는 타임스텝은 마스크됩니다.",
    ),
    "zero_is_one": (
        "0 has a vector as any other (mask_zero=False).",
        "0에도 다른 정수처럼 벡터가 있습니다(mask_zero=False).",
    ),
    "masking": (
        "Masks the timesteps at which every feature is {value}: the layers after it pass over "
        "them. The shape stays.",
        "모든 특성이 {value}인 타임스텝을 마스크해, 뒤의 층들이 건너뛰게 합니다. 모양은 "
        "그대로입니다.",
    ),
    "masked_here": (
        "In x that is {n} of {of:timestep}.",
        "x에서는 타임스텝 {of}개 가운데 {n}개입니다.",
    ),
    "dropout": (
        "In training only, sets each number to zero with a chance of {percent} % and multiplies "
        "the others by {scale}, so that their sum stays about the same. predict and evaluate pass "
        "everything on.",
        "학습할 때만 수마다 {percent} %의 확률로 0으로 만들고, 나머지에는 {scale}[을/를] 곱해 합이 "
        "거의 그대로이게 합니다. predict와 evaluate에서는 모두 그대로 지나갑니다.",
    ),
    "dropout_none": (
        "Drops nothing: its rate is 0.",
        "비율이 0이라 아무것도 끄지 않습니다.",
    ),
    "dropout_all": (
        "In training only, sets every number to zero: its rate is 1, so nothing can be learnt "
        "through it.",
        "비율이 1이라 학습할 때 모든 수를 0으로 만듭니다. 그래서 이 층을 거쳐서는 아무것도 배울 "
        "수 없습니다.",
    ),
    "dropout_alike": (
        "The same features are dropped at all timesteps of a sample.",
        "한 샘플의 모든 타임스텝에서 같은 특성을 끕니다.",
    ),
    "repeat": (
        "Repeats the vector of {F:feature}, so that each of {n:timestep} has the same: a sequence "
        "again, for a layer that reads or writes one.",
        "특성 {F}개짜리 벡터를 되풀이해 타임스텝 {n}개가 모두 같은 벡터를 갖게 합니다. 이렇게 다시 "
        "시퀀스가 되어, 시퀀스를 읽거나 쓰는 층이 뒤에 올 수 있습니다.",
    ),
    "flatten": (
        "Lays all {F:number} of a sample side by side in one vector. After it there is no axis of "
        "timesteps: which number belongs to which timestep is only a place in the vector.",
        "샘플의 수 {F}개를 모두 한 벡터에 나란히 놓습니다. 그 뒤로는 타임스텝 축이 없고, 어느 수가 "
        "어느 타임스텝의 것인지는 벡터 안의 자리로만 남습니다.",
    ),
    "flatten_nothing": (
        "Samples are vectors already; nothing changes.",
        "샘플이 이미 벡터이므로 바뀌는 것이 없습니다.",
    ),
    "reshape": (
        "Gives the {F:number} of each sample another shape, in the same order; nothing is "
        "computed.",
        "샘플마다 수 {F}개를 순서 그대로 다른 모양으로 놓습니다. 계산하는 것은 없습니다.",
    ),
    "activation": (
        "Applies its activation, {name}, to each number. The shape stays, and there are no "
        "weights.",
        "수마다 활성화 함수({name})를 적용합니다. 모양은 그대로이고 가중치는 없습니다.",
    ),
    "activation_softmax": (
        "Makes the {U:number} on the last axis positive and their sum 1 (softmax): probabilities "
        "of {U:class}. The shape stays, and there are no weights.",
        "마지막 축의 수 {U}개를 더하면 1이 되는 양수로 바꿉니다(softmax). 곧 클래스 {U}개의 "
        "확률입니다. 모양은 그대로이고 가중치는 없습니다.",
    ),
    "normalization": (
        "Brings the {F:feature} of each vector, on its own, to mean 0 and variance 1.",
        "벡터마다 따로, 특성 {F}개의 평균이 0, 분산이 1이 되게 합니다.",
    ),
    "normalization_weights": (
        "Then weights of each feature scale or shift them: {names}, {n} in all.",
        "그다음 특성마다 있는 가중치로 크기를 바꾸거나 값을 옮깁니다: {names}, 모두 {n}개.",
    ),
    "own_layer": (
        "A layer of your own: it turns {shape} into {out}.",
        "직접 만든 층입니다. {shape}[을/를] {out}[으로/로] 바꿉니다.",
    ),
    "own_weights": ("Weights: {n}.", "가중치: {n}개."),
    "mask_stays_inside": (
        "The mask that is made inside is not passed on: the layers after this one see every "
        "timestep.",
        "안에서 만든 마스크는 밖으로 전해지지 않습니다. 뒤의 층들은 모든 타임스텝을 봅니다.",
    ),
    "mask_ends": (
        "The mask ends here: what follows sees the numbers at masked timesteps like any others.",
        "마스크는 여기서 끝납니다. 뒤의 층은 마스크된 타임스텝의 수도 다른 수와 똑같이 봅니다.",
    ),
}
