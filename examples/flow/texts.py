"""What the vector-flow examples say, as key -> (English, Korean)."""

TEXTS = {
    "help": (
        """usage: python -m examples.flow [options]

Follow vectors through an LSTM: shapes, step by step; windows over 1 to 100;
whose signal it is; and whether reading in both directions helps.

  --html [FILE]      write a page on which to walk through the trained network (flow.html)""",
        """사용법: python -m examples.flow [선택 사항]

벡터가 LSTM을 어떻게 지나가는지 따라갑니다. 스텝별 모양, 1부터 100까지의 윈도,
누구의 신호인지 맞히기, 양방향으로 읽으면 나아지는지를 차례로 봅니다.

  --html [FILE]      학습한 신경망을 따라가 보는 페이지를 저장합니다 (flow.html)""",
    ),
    "welcome": (
        "How vectors flow through an LSTM. Seed {seed}, backend {backend}.",
        "벡터가 LSTM을 지나가는 길. 시드 {seed}, 백엔드 {backend}.",
    ),
    "words": (
        """
An LSTM reads a tensor with three axes, (samples, timesteps, features):
  samples      independent sequences; each starts from a zero state
  timesteps    how many vectors a sequence has, one after another
  features     how many numbers each of these vectors has
and two words say how it is trained:
  batch_size   how many samples pass before the weights are updated once
  epochs       how many times all samples pass""",
        """
LSTM은 축이 세 개인 텐서 (samples, timesteps, features)를 읽습니다.
  samples      샘플: 서로 독립인 시퀀스. 저마다 상태 0에서 시작합니다
  timesteps    타임스텝: 한 시퀀스에서 차례로 들어가는 벡터의 수
  features     특징: 벡터 하나에 들어 있는 수의 개수
학습 방법을 정하는 말은 두 가지입니다.
  batch_size   배치 크기: 가중치를 한 번 갱신할 때까지 지나가는 샘플 수
  epochs       에포크 수: 전체 샘플이 지나가는 횟수""",
    ),
    "one_sensor": (
        "1. One sensor: one sample, ten timesteps, one feature",
        "1. 센서 하나: 샘플 1개, 타임스텝 10개, 특징 1개",
    ),
    "two_sensors": (
        "2. Two sensors: one sample, ten timesteps, two features",
        "2. 센서 둘: 샘플 1개, 타임스텝 10개, 특징 2개",
    ),
    "two_people": (
        "3. Two people: two samples, five timesteps, two features",
        "3. 두 사람: 샘플 2개, 타임스텝 5개, 특징 2개",
    ),
    "tensor": (
        "The input tensor is {shape}, that is (samples, timesteps, features).",
        "입력 텐서는 {shape}, 곧 (samples, timesteps, features)입니다.",
    ),
    "first_step": (
        "The first vector of the first sample: x[0] = {values}",
        "첫 샘플의 첫 벡터: x[0] = {values}",
    ),
    "every_step": ("LSTM(32), every step", "LSTM(32), 모든 스텝"),
    "last_step": ("LSTM(32), last step", "LSTM(32), 마지막 스텝"),
    "same": ("the same", "위와 같음"),
    "layer_heads": ("layer|output shape|weights", "레이어|출력 모양|가중치 수"),
    "one_vector_a_time": (
        "The LSTM never sees the whole sample at once. One vector enters at a time (length\n"
        "{features}), together with the state, and a new state h leaves (length 32). Sample 0:",
        "LSTM은 샘플 전체를 한꺼번에 보지 않습니다. 한 번에 벡터 하나(길이 {features})가 상태와\n"
        "함께 들어가고, 새 상태 h(길이 32)가 나옵니다. 샘플 0의 경우:",
    ),
    "step_heads": ("t|x[t]|h[t+1], the first 3 of 32", "t|x[t]|h[t+1], 32개 중 처음 3개"),
    "dense_answer": (
        "Dense(1) turns h[{last}] into {answer:+.3f}. The network is untrained: only shapes count.",
        "Dense(1)이 h[{last}]에서 내놓은 값은 {answer:+.3f}입니다. 아직 학습하기 전이므로 "
        "모양만 보면 됩니다.",
    ),
    "counting": (
        "4. Counting: what follows 96, 97, 98, 99, 100?",
        "4. 수 세기: 96, 97, 98, 99, 100 다음은?",
    ),
    "windows": (
        "95 windows, divided by 100: {shape} is (samples, timesteps, features).",
        "윈도 95개를 100으로 나눕니다. {shape}의 축은 (samples, timesteps, features)입니다.",
    ),
    "updates": (
        "With {samples} samples and {epochs} epochs, batch_size decides how often the weights "
        "change:",
        "샘플이 {samples}개이고 에포크 수가 {epochs}일 때, 가중치를 갱신하는 횟수는 배치 크기에 "
        "따라 정해집니다.",
    ),
    "update_heads": (
        "batch_size|updates an epoch|last batch|updates in all",
        "배치 크기|에포크당 갱신|마지막 배치|전체 갱신",
    ),
    "counting_fit": (
        "Training: {epochs} epochs, batch size 8, Adam, mean squared error.",
        "학습: {epochs}에포크, 배치 크기 8, Adam, 평균 제곱 오차.",
    ),
    "known_errors": (
        "On the 95 windows it was trained on, the largest error is {worst:.2f}.",
        "학습에 쓴 윈도 95개에서 가장 큰 오차는 {worst:.2f}입니다.",
    ),
    "answer_101": (
        "96 97 98 99 100 -> {answer:.2f} (right is 101; off by {error:+.2f})\n"
        "No target was above 100, so the network has to go a little beyond what it knows.",
        "96 97 98 99 100 -> {answer:.2f} (정답 101, 차이 {error:+.2f})\n"
        "학습한 정답은 100까지뿐이었으므로, 아는 범위를 조금 넘어서야 하는 물음입니다.",
    ),
    "people": ("5. Whose signal is it?", "5. 누구의 신호인가?"),
    "about_people": (
        "Two people, two noisy sensors, ten timesteps. The second sensor lags behind the first,\n"
        "by 30 degrees for person 1 and by 90 for person 2. The targets are [1, 0] and [0, 1].",
        "두 사람의 신호를 잡음 섞인 센서 두 개가 타임스텝 10개 동안 기록합니다. 둘째 센서는\n"
        "첫째 센서보다 늦는데, 사람 1은 30도, 사람 2는 90도 늦습니다. 정답은 [1, 0]과 "
        "[0, 1]입니다.",
    ),
    "people_data": (
        "Signals to learn from: {shape}. Signals kept back for the test: {test_shape}.",
        "학습에 쓰는 신호: {shape}. 시험용으로 남겨 둔 신호: {test_shape}.",
    ),
    "people_accuracy": (
        "Accuracy on the signals it learned from: {known:.1f} %, on new ones: {new:.1f} %.",
        "정확도는 학습한 신호에서 {known:.1f} %, 새 신호에서 {new:.1f} %입니다.",
    ),
    "person": ("person {number}", "사람 {number}"),
    "confusion_heads": (
        "signal of|taken for person 1|taken for person 2",
        "누구의 신호|사람 1로 판정|사람 2로 판정",
    ),
    "one_signal": (
        "The first new signal gives [{first:.2f}, {second:.2f}]: person {said}. "
        "It was person {real}.",
        "첫 번째 새 신호의 출력은 [{first:.2f}, {second:.2f}]: 사람 {said}. 실제로는 "
        "사람 {real}입니다.",
    ),
    "people_page": ("Whose signal is it?", "누구의 신호인가?"),
    "directions": (
        "6. Does reading in both directions help?",
        "6. 양방향으로 읽으면 나아지는가?",
    ),
    "about_directions": (
        "Three networks, ten seeds each; a seed fixes the signals and the first weights.\n"
        "Mean and standard deviation over the seeds:",
        "신경망 세 가지를 시드 열 개로 학습합니다. 시드마다 신호와 처음 가중치가 정해집니다.\n"
        "시드에 걸친 평균과 표준 편차:",
    ),
    "direction_heads": (
        "first layer|weights|accuracy on new signals (%)|lowest",
        "첫 레이어|가중치 수|새 신호에서의 정확도(%)|최저",
    ),
    "helps": (
        "{name}: {gain:+.1f} ± {error:.1f} points against LSTM(32), a gain beyond chance.",
        "{name}: LSTM(32)보다 {gain:+.1f} ± {error:.1f}포인트. 우연으로 보기 어려운 이득입니다.",
    ),
    "harms": (
        "{name}: {gain:+.1f} ± {error:.1f} points against LSTM(32), a loss beyond chance.",
        "{name}: LSTM(32)보다 {gain:+.1f} ± {error:.1f}포인트. 우연으로 보기 어려운 손해입니다.",
    ),
    "no_difference": (
        "{name}: {gain:+.1f} ± {error:.1f} points against LSTM(32), which may well be chance.",
        "{name}: LSTM(32)보다 {gain:+.1f} ± {error:.1f}포인트. 우연일 수 있는 차이입니다.",
    ),
    "paired": (
        "Seed by seed, the mean gain and its standard error:",
        "시드끼리 짝지어 비교한 평균 차이와 그 표준 오차:",
    ),
    "short_note": (
        "This was a quick look of {epochs} epochs; the answers need the full number.",
        "{epochs}에포크만 훑어보았습니다. 제대로 된 답을 얻으려면 전체 에포크가 필요합니다.",
    ),
}
