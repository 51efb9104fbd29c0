package access

const (
	askJA = "情報システム担当に連絡してください。"
	askEN = "Please ask your administrator."
)

// words: Japanese, what to do in Japanese, English, what to do in English.
var words = map[Code][4]string{
	UserDisabled: {"この利用者は停止されています。", askJA, "This user is disabled.", askEN},
	PasswordMustChange: {
		"初期パスワードが変更されていません。", "先にパスワードを変更してください。",
		"The initial password has not been changed.", "Change your password first.",
	},
	SignInOver: {
		"サインインの有効時間が過ぎました。", "もう一度サインインしてください。",
		"Your sign-in has ended.", "Sign in again.",
	},
	DeviceNeeded: {
		"自席端末への接続には、登録済みの接続元端末が必要です。", "利用者登録通知書の端末登録コードで、この端末を登録してください。",
		"Opening a desk takes an enrolled device.", "Enrol this device with the one-time code on your slip.",
	},
	ChangeNeedsDevice: {
		"庁外からパスワードだけでサインインしたときは、パスワードを変更できません。", "登録済みの接続元端末から、ワンタイムパスワードを入力して、または庁内から変更してください。",
		"From outside, a sign-in by password alone cannot change the password.", "Change it on an enrolled device, after a one-time password, or in the office.",
	},
	DeviceRevoked: {
		"この接続元端末は失効しています。", "別の端末を使うか、" + askJA,
		"This device has been revoked.", "Use another device, or ask your administrator.",
	},
	DeviceNotYours: {
		"この接続元端末は、あなたの端末として登録されていません。", "自分の端末を使うか、端末を登録し直してください。",
		"This device is not enrolled for you.", "Use your own device, or enrol this one.",
	},
	DeviceExpired: {
		"接続元端末の証明書の期限が切れています。", "サインインし直すと更新されます。更新されないときは" + askJA,
		"The certificate of this device has expired.", "Sign in again to renew it. If that fails, ask your administrator.",
	},
	DevicePrivate: {
		"私用端末からこの自席端末には接続できません。", "貸与端末を使ってください。",
		"This desk cannot be opened from a private device.", "Use a lent device.",
	},
	KeyGrade: {
		"この端末が申告した鍵の保管方法（自己申告）は、組織の基準を満たしていません。", "別の端末を使うか、" + askJA,
		"The way this device keeps its key, by its own word, is below what the organisation asks for.", "Use another device, or ask your administrator.",
	},
	MyNumberGateway: {
		"このゲートウェイは、この自席端末のネットワーク区分を扱いません。", askJA,
		"This gateway does not serve the zone of this desk.", askEN,
	},
	MyNumberPlace: {
		"マイナンバー利用事務系の自席端末には、サテライトオフィスからだけ接続できます。", "サテライトオフィスの端末を使ってください。",
		"Desks of the My Number zone open from satellite offices only.", "Use a terminal in a satellite office.",
	},
	PlaceUnknown: {"どこから接続しているかを確認できません。", askJA, "The place you connect from is not known.", askEN},
	OfficeClosed: {
		"庁内からの自席端末への接続は許可されていません。", "自席で作業するか、" + askJA,
		"Opening a desk from inside the town hall is not allowed.", "Work at your desk, or ask your administrator.",
	},
	SecondFactorNeeded: {
		"庁外からの接続にはワンタイムパスワードが必要です。", "ワンタイムパスワードを使ってサインインし直してください。",
		"From outside a one-time password is needed.", "Sign in again with a one-time password.",
	},
	SecondFactorMissing: {
		"庁外からの接続にはワンタイムパスワードが必要ですが、まだ設定されていません。",
		"庁内で、または登録済みの接続元端末でサインインし、「端末と接続の記録」の「ワンタイムパスワード」で設定してください。",
		"From outside a one-time password is needed, and you have not set it up yet.",
		"Sign in in the office or on an enrolled device, and set it up in “Device and sessions”, “One-time password”.",
	},
	ApprovalNeeded: {
		"現在の時間に承認済みの申請がありません。", "テレワークを申請し、所属長の承認を受けてください。",
		"There is no approved request for this time.", "Request telework and have it approved.",
	},
	DeskNotYours: {"この自席端末は、あなたに割り当てられていません。", askJA, "This desk is not assigned to you.", askEN},
	DeskNotEnrolled: {
		"この自席端末は、まだ登録されていません。", "自席端末にエージェントを登録するよう、情報システム担当に依頼してください。",
		"This desk is not enrolled yet.", "Ask your administrator to enrol its agent.",
	},
	DeskExpired: {
		"自席端末の証明書の期限が切れています。", "自席端末を起動したままにすると更新されます。更新されないときは" + askJA,
		"The certificate of this desk has expired.", "Leave the desk on and it is renewed. If not, ask your administrator.",
	},
	DeskOff: {
		"自席端末の電源が入っていないか、ネットワークにつながっていません。", "職場に電源の投入を依頼してください。",
		"The desk is off or not on the network.", "Ask somebody in the office to switch it on.",
	},
	DeskUnknown: {
		"自席端末の状態を確認できません。", "1分ほど待ってから、もう一度試してください。",
		"The state of this desk is not known.", "Wait a minute and try again.",
	},
	DeskColours: {
		"自席端末の画面の色数が少ないため、接続できません。", "画面の色数を「約1677万色」（24ビット）に変更するよう、情報システム担当に依頼してください。",
		"The desk's screen has too few colours to be shown.", "Ask your administrator to set it to 24 bits.",
	},
	DeskScreenSize: {
		"自席端末の画面が大きすぎるため、接続できません。", "モニターの数か解像度を減らすよう、情報システム担当に依頼してください。",
		"The desk's screen is too large to be shown.", "Ask your administrator for fewer monitors or a lower resolution.",
	},
	DeskScreenSystem: {
		"自席端末の画面システムに必要な機能がないため、接続できません。", askJA,
		"The display server of this desk lacks what a session needs.", askEN,
	},
	DeskScreen: {
		"自席端末の画面を表示できないため、接続できません。", askJA,
		"The screen of this desk cannot be shown.", askEN,
	},
	DeskCannotLock: {
		"自席端末が画面をロックできないため、接続できません。", askJA,
		"The desk cannot lock its screen, so it must not be opened.", askEN,
	},
	DeskInUse: {
		"自席端末は、別の利用者が接続しています。", "その接続が終わるのを待つか、" + askJA,
		"Somebody else has a session on this desk.", "Wait for it to end, or ask your administrator.",
	},
	Full: {
		"同時に接続できる数の上限に達しています。", "しばらく待ってから、もう一度試してください。",
		"The limit of sessions at the same time is reached.", "Wait a while and try again.",
	},

	TeleworkRefused: {
		"あなたの所属または任用区分では、庁外からの接続は認められていません。", "必要なときは、所属長に相談してください。",
		"Your section or employment does not allow telework.", "Talk to the head of your section if you need it.",
	},
	ViewerRefused: {
		"このビューアからの接続は認められていません。", "別のビューア（ブラウザーまたは専用ビューア）を使ってください。",
		"This viewer may not be used.", "Use the other viewer (browser or native).",
	},
	DeviceKindRefused: {
		"この種類の接続元端末からの接続は認められていません。", "別の端末を使うか、" + askJA,
		"This kind of device may not be used.", "Use another device, or ask your administrator.",
	},
	RegistrationOver: {
		"テレワークの利用登録がないか、期限が過ぎています。", "所属の庶務担当または情報システム担当に、利用登録の更新を依頼してください。",
		"Your yearly registration for telework is missing or over.", "Ask the clerk of your section or your administrator to renew it.",
	},
	ApprovalPlace: {
		"現在の承認は、サテライトオフィスでの勤務に対するものです。", "サテライトオフィスから接続するか、勤務場所を変更して申請し直してください。",
		"What is approved for now is work in a satellite office.", "Connect from the satellite office, or request another place.",
	},
	DayOffClosed: {
		"今日は閉庁日または勤務日ではないため、接続できません。", "勤務の必要があるときは、所属長から命令または承認を受けてください。",
		"Today the town hall is closed or you do not work.", "If you have to work, have the head of your section order or approve it.",
	},
	NightClosed: {
		"深夜（22時から5時まで）は接続できません。", "勤務の必要があるときは、所属長から時間外勤務命令を受けてください。",
		"Late at night (22:00 to 5:00) sessions are closed.", "If you have to work, have overtime ordered by the head of your section.",
	},
	HoursOver: {
		"勤務時間外のため、接続できません。", "勤務の必要があるときは、所属長から時間外勤務命令を受けてください。",
		"It is outside your working hours.", "If you have to work, have overtime ordered by the head of your section.",
	},
	BreakNow: {
		"休憩、中断または休暇の時間中のため、接続できません。", "ホーム画面で「再開」を報告してください。",
		"You are in a break, an interruption or on leave.", "Report “resume” on the home page.",
	},
	SeatsReserved: {
		"空いている接続は、ほかの所属のために確保されています。", "しばらく待ってから、もう一度試してください。急ぐときは" + askJA,
		"The sessions that are free are reserved for other sections.", "Wait a while and try again. If it is urgent, ask your administrator.",
	},
	OfficeFull: {
		"庁内から同時に接続できる数の上限に達しています。", "しばらく待ってから、もう一度試してください。",
		"The limit of sessions from inside the town hall is reached.", "Wait a while and try again.",
	},

	WrongCredentials: {
		"利用者IDまたはパスワードが違います。", "入力を確かめてください。忘れたときは、情報システム担当に再発行を依頼してください。",
		"User id or password is wrong.", "Check what you typed. If you forgot it, ask your administrator for a new one.",
	},
	SlowDown: {
		"サインインの失敗が続いたため、しばらくサインインできません。", "あと{n}分待ってから、もう一度試してください。急ぐときは" + askJA,
		"Signing in failed too often and is paused.", "Try again in {n} min. If it is urgent, ask your administrator.",
	},
	TooManyUsers: {
		"一度に登録できる利用者は、画面では200人、コマンドでは1,000人までです。", "分けて登録してください。1人も登録されていません。",
		"At most 200 users can be created at a time in the console, 1,000 by the command.", "Divide them. Nobody was created.",
	},
	InventoryNeeded: {
		"貸与端末の管理番号が入力されていません。", "備品の管理番号を入力してください。番号がない端末は「-」と入力します。",
		"The inventory number of the lent device is missing.", "Enter its inventory number, or - for a device that has none.",
	},
	Busy: {
		"ただいま混み合っています。", "数秒待ってから、もう一度試してください。",
		"The gateway is busy.", "Wait a few seconds and try again.",
	},
	DiskFull: {
		"ゲートウェイの空き容量がなくなり、記録できないため、実行していません。", "管理者に連絡してください。管理者は、ゲートウェイの空き容量を増やしてください。",
		"The gateway's disk is full. What cannot be recorded is not done.", "Tell the administrator, who makes room on the gateway's disk.",
	},
	GatewayClock: {
		"このゲートウェイの時計がほかのゲートウェイとずれているため、実行していません。", "数分後にもう一度試してください。続くときは、管理者に連絡してください。管理者は、ゲートウェイの時刻同期を直してください。",
		"The clock of this gateway differs from the other gateways'. It was not done.",
		"Try again in a few minutes. If it stays so, tell the administrator, who puts the gateway's time synchronisation right.",
	},
	Unwritten: {
		"接続は終了させましたが、まだ記録できていません。", "ゲートウェイの空き容量とデータベースを確認してください。記録できるようになると、自動的に記録します。それまでゲートウェイを停止しないでください。",
		"The sessions were ended, but it could not be recorded yet.",
		"Look at the gateway's disk and database. It is recorded by itself as soon as that is possible; do not stop the gateway before.",
	},
	NotKept: {
		"接続は終了させましたが、記録できていません。あとから自動的に記録することもできません。", "ゲートウェイの空き容量とデータベースを直してから、同じ操作をもう一度行ってください。",
		"The sessions were ended, but it could not be recorded, and will not be by itself.",
		"Put the gateway's disk and database right, then do the same again.",
	},
	NotSignedIn: {"サインインしていません。", "サインインしてください。", "You are not signed in.", "Sign in."},
	NotAllowed: {
		"この操作は、現在のサインインでは許可されていません。", "登録済みの端末または庁内からサインインし直してください。",
		"This sign-in may not do that.", "Sign in on an enrolled device or from the office network.",
	},
	TOTPWrong: {
		"ワンタイムパスワードが違うか、すでに使われています。", "新しい数字が表示されてから入力してください。",
		"The one-time password is wrong or was used already.", "Wait for the next one and type that.",
	},
	DeviceUnknown: {
		"この接続元端末は登録されていません。", "端末登録コードで登録し直してください。",
		"This device is not enrolled.", "Enrol it again with a one-time code.",
	},
	SignatureWrong: {
		"接続元端末の署名を確認できません。", "画面を再読み込みしてください。繰り返すときは、端末を登録し直してください。",
		"The signature of this device does not verify.", "Reload the page. If it happens again, enrol the device again.",
	},
	ChallengeOver: {
		"操作に時間がかかったため、確認用の番号が無効になりました。", "もう一度操作してください。",
		"This took too long and the challenge is void.", "Try again.",
	},
	CodeMistyped: {
		"端末登録コードの文字に誤りがあります。", "通知書のコードを確かめて、入力し直してください。回数は減りません。",
		"The one-time code is mistyped.", "Compare it with your slip. This did not cost a try.",
	},
	CodeWrong: {
		"端末登録コードが違います。", "通知書のコードを確かめてください。5回を超えて間違えると、しばらく入力できなくなります。",
		"The one-time code is wrong.", "Check your slip. After more than five wrong ones you have to wait.",
	},
	CodeSpent: {
		"端末登録コードは使用済みか、無効です。", "情報システム担当に新しいコードの発行を依頼してください。",
		"The one-time code has been used or is void.", "Ask your administrator for a new one.",
	},
	CodeExpired: {
		"端末登録コードの期限が切れています。", "情報システム担当に新しいコードの発行を依頼してください。",
		"The one-time code has expired.", "Ask your administrator for a new one.",
	},
	TokenSpent: {
		"登録トークンは使用済みか、無効です。", "管理画面で新しいトークンを発行してください。",
		"The enrolment token has been used or is void.", "Make a new one in the console.",
	},
	TokenExpired: {
		"登録トークンの期限が切れています。", "管理画面で新しいトークンを発行してください。",
		"The enrolment token has expired.", "Make a new one in the console.",
	},
	AgentNetwork: {
		"このネットワークからは、自席端末を接続できません。", "情報システム担当に連絡してください。",
		"Desks cannot connect from this network.", "Ask your administrator.",
	},
	PasswordShort: {
		"パスワードが短すぎます。", "12文字以上、または英大文字・英小文字・数字・記号のうち3種類を含む8文字以上にしてください。",
		"The password is too short.", "Use 12 characters, or 8 with three of: capitals, small letters, digits, symbols.",
	},
	PasswordLong: {"パスワードが長すぎます。", "128文字以内にしてください。", "The password is too long.", "Use at most 128 characters."},
	PasswordKinds: {
		"8文字から11文字のパスワードには、文字の種類が足りません。", "英大文字・英小文字・数字・記号のうち3種類を含めるか、12文字以上にしてください。",
		"A password of 8 to 11 characters needs more kinds of characters.", "Use three of: capitals, small letters, digits, symbols; or 12 characters.",
	},
	PasswordHasID: {
		"パスワードに利用者IDまたは氏名が含まれています。", "利用者IDや氏名を含まないパスワードにしてください。",
		"The password contains your user id or name.", "Choose one without them.",
	},
	PasswordCommon: {
		"推測されやすい言葉や並びが使われています。", "よくある言葉、日付、キーの並びを避け、関係のない言葉を3つ以上つなげてください。",
		"The password uses words or rows that are easily guessed.", "Avoid common words, dates and rows of keys; join three or more unrelated words.",
	},
	PasswordRepeats: {
		"同じ文字や並びの繰り返しが多すぎます。", "繰り返しの少ないパスワードにしてください。",
		"The password repeats the same characters too often.", "Choose one with fewer repeats.",
	},
	PasswordSame: {
		"現在のパスワードと同じか、よく似ています。", "別のパスワードにしてください。",
		"The password is the same as the present one, or much alike.", "Choose another one.",
	},
	PasswordChars: {
		"パスワードに使えない文字が含まれています。", "改行などの制御文字を除いてください。",
		"The password contains characters that cannot be used.", "Leave out control characters.",
	},

	WakeNoWaker: {
		"この自席端末と同じネットワークに、起動を指示できる端末がありません。", "「電源投入を依頼」で、職場に電源の投入を依頼してください。",
		"No machine is awake in the desk's network that could wake it.", "Ask your colleagues to switch it on.",
	},
	WakeNoAnswer: {
		"起動の指示を送りましたが、120秒以内に応答がありません。", "もう一度試すか、「電源投入を依頼」で、職場に電源の投入を依頼してください。",
		"The desk was told to wake up and did not answer within 120 seconds.", "Try again, or ask your colleagues to switch it on.",
	},
	WakeAdapter: {
		"自席端末のネットワークアダプターは、起動の指示を受け付けない設定です。", "職場に電源の投入を依頼してください。設定の変更は、情報システム担当に依頼してください。",
		"The desk's network adapter is not set to wake it.", "Ask your colleagues to switch it on, and your administrator to change the setting.",
	},
	WakeMACUnknown: {
		"自席端末のネットワークアダプターが分かりません。", "一度、自席端末の電源を手で入れると分かるようになります。「電源投入を依頼」を使ってください。",
		"The network adapter of this desk is not known.", "It is once the desk was switched on by hand. Ask your colleagues.",
	},
	PowerAskedLate: {
		"この自席端末の電源投入は、10分以内に依頼済みです。", "しばらく待つか、職場に電話してください。",
		"Your colleagues were asked less than ten minutes ago.", "Wait a while, or telephone them.",
	},
	CheckCodeMistyped: {
		"確認番号の文字に誤りがあります。", "番号を聞き直して、入力し直してください。",
		"The code of the self-check is mistyped.", "Ask for it again and type it again.",
	},
	SegmentNoWaker: {
		"このネットワークには、自席端末を起動できる端末がありません。", "常時稼働の端末で「jiseki-agent waker」を動かしてください。",
		"No machine in this network can wake its desks.", "Run “jiseki-agent waker” on an always-on machine.",
	},
	SegmentNoAlways: {
		"このネットワークには、常時稼働の起動用端末がありません。", "全員の自席端末が止まると起動できません。常時稼働の端末で「jiseki-agent waker」を動かしてください。",
		"No always-on machine in this network wakes its desks.", "When all desks are off none can be woken. Run “jiseki-agent waker” on an always-on machine.",
	},

	SessionState: {
		"この接続はすでに開始されたか、終わっています。", "もう一度「接続」を押してください。",
		"This session was started already or has ended.", "Press connect again.",
	},
	SessionOver: {
		"接続の準備から時間がたちすぎました。", "もう一度「接続」を押してください。",
		"The session was prepared too long ago.", "Press connect again.",
	},
	AgentRefused: {
		"自席端末が接続を断りました。", "もう一度試してください。繰り返すときは" + askJA,
		"The desk refused the session.", "Try again. If it happens again, ask your administrator.",
	},
	AgentNoAnswer: {
		"自席端末から応答がありません。", "1分ほど待ってから、もう一度試してください。",
		"The desk does not answer.", "Wait a minute and try again.",
	},
	ClockSkew: {
		"時計がゲートウェイの時計とずれています。", "端末の時計を合わせてください。",
		"The clock differs from the gateway's clock.", "Set the clock right.",
	},
	DeskRevoked: {
		"この自席端末の登録は取り消されています。", "自席端末を登録し直してください。",
		"This desk is no longer enrolled.", "Enrol the desk again.",
	},
	DeskRegister: {
		"自席端末が、この端末又は利用者の登録を確認できません。", "数分後にもう一度試してください。繰り返すときは" + askJA,
		"The desk cannot confirm that this device or user is registered.", "Try again in a few minutes. If it happens again, ask your administrator.",
	},
	NotFound: {"対象が見つかりません。", "一覧を読み込み直してください。", "There is no such thing.", "Reload the list."},
	Exists: {
		"同じIDまたは名称がすでに使われています。", "別のものを指定してください。",
		"The id or name is taken.", "Choose another one.",
	},
	InUse: {
		"ほかで使われているため、変更または削除できません。", "先に、これを使っているものを変更してください。",
		"Something else still needs it.", "Change what uses it first.",
	},
	Stale: {
		"ほかの人が先に変更しました。", "読み込み直してから、もう一度変更してください。",
		"Somebody else changed it first.", "Reload and change it again.",
	},
	Invalid: {"入力に誤りがあります。", "入力内容を確かめてください。", "Something in the input is wrong.", "Check what you entered."},
	Internal: {
		"ゲートウェイで問題が発生しました。", "しばらく待ってから試してください。繰り返すときは" + askJA,
		"Something went wrong in the gateway.", "Try again later. If it happens again, ask your administrator.",
	},
	WrongListener: {
		"この操作は庁内の管理用アドレスからだけ行えます。", "庁内の管理用アドレスを開いてください。",
		"This works on the office listener only.", "Open the administration address in the office.",
	},
	TooLong: {
		"一度に送られた内容が長すぎます。", "件数または文章を減らし、分けて送ってください。",
		"Too much was sent at once.", "Send less, or send it in parts.",
	},
	TooManyAtOnce: {
		"短い時間に要求が多すぎます。", "1分ほど待ってから、もう一度試してください。",
		"Too many requests in a short time.", "Wait a minute and try again.",
	},
	OrderTooLarge: {
		"一度の命令が大きすぎます。人数に日数を掛けて4,000までです。", "人か日を分けて、もう一度命令してください。まだ誰にも命令されていません。",
		"The order is too large: users times days may be 4,000.", "Divide the users or the days. Nobody was given an order.",
	},
	StorageForgets: {
		"このブラウザーは鍵を保存し続けられません。", "プライベートウィンドウを閉じ、通常のウィンドウで登録してください。",
		"This browser does not keep keys.", "Close the private window and enrol in a normal one.",
	},

	NotYours: {
		"この操作は、あなたには認められていません。", "所属長または情報システム担当に確認してください。",
		"This is not yours to do.", "Ask the head of your section or your administrator.",
	},
	NoApprover: {
		"申請を決裁する所属長がいません。", "情報システム担当に、所属と所属長の登録を確認するよう連絡してください。",
		"There is nobody who can decide this request.", "Ask your administrator to check your section and its head.",
	},
	NotApprover: {
		"この申請を決裁できるのは、現在あなたではありません。", "所属長または代決者が決裁します。所属長の不在は「不在の登録」で登録してください。",
		"You are not the one to decide this request now.", "Its head or acting deputy decides. Enter the head's absence if the head is away.",
	},
	OwnRequest: {
		"自分の申請は決裁できません。", "上位の所属長が決裁します。",
		"Nobody decides a request of their own.", "The head of the section above decides it.",
	},
	CommentNeeded: {
		"差戻しと不承認には理由が必要です。", "理由を入力してください。",
		"Returning or refusing a request needs a comment.", "Type the reason.",
	},
	RequestDecided: {
		"この申請は、すでに決裁されたか、取り下げられています。", "画面を読み込み直してください。",
		"This request has been decided or withdrawn already.", "Reload the page.",
	},
	RequestOver: {
		"終わった日の承認は変更できません。", "実績に誤りがあるときは、実績を訂正してください。",
		"An approval whose days are over cannot be changed.", "If the workday is wrong, correct the workday.",
	},
	RequestRefused: {
		"あなたの任用区分または所属では、テレワークは認められていません。", "所属長に相談してください。",
		"Telework is not allowed for your employment or section.", "Talk to the head of your section.",
	},
	RequestDayOff: {
		"勤務を要しない日が含まれています。", "その日を外すか、所属長に命令を依頼してください。",
		"A day is not a working day.", "Leave it out, or ask your superior for an order.",
	},
	RequestOutsideHours: {
		"勤務時間外の時間が含まれています。", "時間外の勤務には、所属長の時間外勤務命令が必要です。",
		"Part of the time is outside your working hours.", "Overtime takes an order of your superior.",
	},
	RequestOverlaps: {
		"同じ時間の申請がすでにあります。", "その申請を変更するか、取り下げてください。",
		"There is a request for the same time already.", "Change or withdraw that one.",
	},
	RequestTooMany: {
		"1週間のテレワークは{n}日までです。", "日数を減らすか、所属長に相談してください。",
		"Telework is limited to {n} days a week.", "Choose fewer days, or talk to the head of your section.",
	},
	RequestLate: {
		"申請の期限を過ぎています。", "急ぐときは、所属長に在宅勤務命令を依頼してください。",
		"It is too late to apply for this day.", "If it is urgent, ask your superior for an order.",
	},
	RequestAfterFact: {
		"始まった時間の申請は、急な病気や災害のときに限られます。", "理由を確かめるか、所属長に相談してください。",
		"After the fact only sudden illness or a disaster can be applied for.", "Check the reason, or talk to the head of your section.",
	},
	RequestTooFar: {
		"申請できるのは1年先までです。", "日付を確かめてください。",
		"Requests reach one year ahead.", "Check the dates.",
	},
	RequestPersonalData: {
		"庁外で個人情報を扱う業務は認められていません。", "個人情報を扱わない業務にするか、庁内で勤務してください。",
		"Work with personal data is not allowed away from the hall.", "Plan work without it, or work in the hall.",
	},
	RequestUnregistered: {
		"テレワークの利用登録の期限の後の日が含まれています。", "その日までに利用登録の更新を受けてください。",
		"A day is after the end of your yearly registration.", "Have your registration renewed before that day.",
	},

	WorkdayNotStarted: {
		"始業が報告されていません。", "先に始業を報告してください。報告を忘れたときは、テレワーク実績を訂正してください。",
		"The workday has not been started.", "Report its start first. If it was forgotten, correct the workday.",
	},
	WorkdayEndMissing: {
		"終業が報告されないまま、始業から24時間が過ぎた日があります。", "テレワーク実績を訂正し、その日の終業の時刻を入力してください。",
		"A workday has no reported end and began more than a day ago.", "Correct that workday and enter when it ended.",
	},
	SegmentsOrder: {
		"時刻が前後しているか、区分が重なっています。", "各区分の開始と終了の時刻を確認してください。",
		"Times are out of order, or segments overlap.", "Check from when until when each segment lasts.",
	},
	SegmentsFuture: {
		"現在より後の時刻が入力されています。", "現在までの時刻を入力してください。",
		"A time lies in the future.", "Enter times up to now.",
	},
	SegmentsDay: {
		"その日に始まる実績ではないか、長すぎます。", "最初の区分はその日のうちに始まり、最後の区分は開始から48時間以内に終わるように入力してください。",
		"The workday does not begin on its date, or is too long.", "The first segment begins on the date, and the last ends within 48 hours.",
	},
	SegmentsOpen: {
		"終了の時刻が入力されていない区分があります。", "終了の時刻を入力してください。",
		"A segment has no end.", "Enter when it ended.",
	},
	SegmentsOverlap: {
		"別の日の実績と時刻が重なっています。", "前後の日の実績を確認し、重ならない時刻を入力してください。",
		"The times overlap another workday.", "Look at the workdays before and after, and enter times apart from them.",
	},
	MonthNotOver: {
		"月が終わっていないため、確認できません。", "翌月になってから確認してください。",
		"A month can be confirmed when it is over.", "Confirm it next month.",
	},
}
