"""One form for Chinese text, however it was written: full or half width, traditional or simplified, spelled out with gaps.

Words of a policy are simplified. The table holds the traditional characters of the words that people write to a city
about; one that it lacks stays as it is, and then only the words with it are not found.
"""

from __future__ import annotations

import re
import unicodedata

_TRADITIONAL = (
    "愛爱 礙碍 罷罢 擺摆 敗败 頒颁 辦办 幫帮 綁绑 寶宝 報报 飽饱 貝贝 備备 輩辈 筆笔 畢毕 幣币 閉闭 邊边 編编 變变 標标 別别 賓宾 並并 補补 財财 慘惨 燦灿 蒼苍 艙舱 側侧 測测 層层 產产 場场 長长 償偿 腸肠 "
    "廠厂 車车 徹彻 塵尘 陳陈 襯衬 稱称 誠诚 懲惩 遲迟 齒齿 衝冲 蟲虫 寵宠 籌筹 廚厨 處处 觸触 傳传 闖闯 創创 從从 湊凑 竄窜 達达 帶带 貸贷 擔担 單单 膽胆 彈弹 當当 擋挡 黨党 導导 島岛 燈灯 鄧邓 敵敌 遞递 "
    "點点 電电 墊垫 釣钓 調调 訂订 丟丢 東东 凍冻 動动 棟栋 鬥斗 獨独 讀读 賭赌 斷断 隊队 對对 噸吨 頓顿 奪夺 墮堕 惡恶 餓饿 兒儿 爾尔 發发 髮发 罰罚 範范 飯饭 販贩 訪访 紡纺 飛飞 廢废 費费 紛纷 墳坟 奮奋 "
    "憤愤 風风 豐丰 瘋疯 縫缝 膚肤 撫抚 輔辅 復复 複复 負负 婦妇 蓋盖 趕赶 幹干 剛刚 鋼钢 崗岗 個个 給给 鞏巩 貢贡 溝沟 構构 購购 夠够 顧顾 掛挂 關关 觀观 館馆 慣惯 廣广 歸归 規规 貴贵 櫃柜 國国 過过 駭骇 "
    "漢汉 號号 護护 滬沪 華华 畫画 話话 壞坏 歡欢 還还 環环 換换 喚唤 揮挥 會会 穢秽 賄贿 貨货 獲获 禍祸 擊击 機机 積积 雞鸡 極极 級级 擠挤 際际 繼继 紀纪 記记 濟济 計计 劑剂 夾夹 頰颊 價价 駕驾 間间 監监 "
    "堅坚 檢检 減减 鹼碱 見见 艦舰 劍剑 漸渐 濺溅 將将 講讲 獎奖 漿浆 膠胶 腳脚 攪搅 絞绞 繳缴 轎轿 較较 階阶 節节 潔洁 結结 僅仅 緊紧 盡尽 進进 勁劲 驚惊 經经 頸颈 靜静 鏡镜 糾纠 舊旧 舉举 據据 懼惧 劇剧 "
    "捲卷 絕绝 覺觉 決决 訣诀 軍军 開开 凱凯 殼壳 課课 墾垦 懇恳 摳抠 庫库 褲裤 塊块 寬宽 礦矿 虧亏 擴扩 闊阔 蘭兰 攔拦 欄栏 爛烂 濫滥 撈捞 勞劳 澇涝 樂乐 壘垒 類类 淚泪 離离 裡里 裏里 禮礼 麗丽 厲厉 勵励 "
    "歷历 曆历 倆俩 聯联 連连 憐怜 臉脸 鍊炼 煉炼 練练 糧粮 兩两 輛辆 諒谅 療疗 遼辽 鄰邻 臨临 齡龄 鈴铃 靈灵 嶺岭 領领 餾馏 劉刘 龍龙 樓楼 摟搂 蘆芦 爐炉 魯鲁 錄录 陸陆 驢驴 鋁铝 屢屡 慮虑 亂乱 輪轮 論论 "
    "羅罗 邏逻 媽妈 馬马 罵骂 嗎吗 買买 賣卖 邁迈 滿满 貓猫 貿贸 麼么 黴霉 門门 悶闷 們们 夢梦 彌弥 覓觅 綿绵 廟庙 滅灭 憫悯 鳴鸣 謀谋 畝亩 納纳 難难 撓挠 腦脑 惱恼 鬧闹 內内 擬拟 膩腻 攆撵 釀酿 鳥鸟 農农 "
    "濃浓 膿脓 瘧疟 諾诺 歐欧 毆殴 嘔呕 盤盘 龐庞 賠赔 噴喷 騙骗 飄飘 貧贫 頻频 憑凭 蘋苹 評评 潑泼 撲扑 鋪铺 樸朴 淒凄 齊齐 騎骑 豈岂 啟启 氣气 棄弃 遷迁 簽签 籤签 鉛铅 錢钱 潛潜 淺浅 槍枪 牆墙 強强 搶抢 "
    "鍬锹 橋桥 竅窍 竊窃 親亲 輕轻 傾倾 頃顷 請请 慶庆 窮穷 瓊琼 區区 軀躯 驅驱 趨趋 權权 勸劝 卻却 確确 讓让 擾扰 繞绕 熱热 認认 韌韧 榮荣 絨绒 軟软 銳锐 閏闰 潤润 灑洒 薩萨 賽赛 傘伞 喪丧 騷骚 掃扫 澀涩 "
    "殺杀 紗纱 篩筛 曬晒 閃闪 傷伤 賞赏 燒烧 紹绍 賒赊 設设 攝摄 懾慑 審审 腎肾 滲渗 聲声 繩绳 勝胜 聖圣 師师 獅狮 濕湿 詩诗 時时 實实 識识 駛驶 勢势 試试 視视 飾饰 適适 釋释 壽寿 獸兽 書书 輸输 屬属 術术 "
    "樹树 數数 帥帅 雙双 誰谁 稅税 順顺 說说 碩硕 絲丝 飼饲 訟讼 頌颂 蘇苏 訴诉 肅肃 雖虽 隨随 歲岁 孫孙 損损 縮缩 瑣琐 鎖锁 態态 攤摊 灘滩 癱瘫 貪贪 談谈 嘆叹 歎叹 湯汤 燙烫 濤涛 討讨 騰腾 體体 題题 條条 "
    "鐵铁 聽听 廳厅 統统 頭头 圖图 塗涂 團团 頹颓 脫脱 馱驮 橢椭 窪洼 襪袜 彎弯 灣湾 頑顽 萬万 網网 違违 圍围 偉伟 偽伪 緯纬 衛卫 謂谓 為为 爲为 溫温 聞闻 穩稳 問问 窩窝 臥卧 烏乌 汙污 誣诬 無无 吳吴 務务 "
    "誤误 霧雾 犧牺 襲袭 習习 戲戏 細细 係系 繫系 蝦虾 嚇吓 峽峡 狹狭 俠侠 鹹咸 賢贤 顯显 險险 縣县 現现 憲宪 線线 羨羡 獻献 鄉乡 詳详 響响 項项 蕭萧 曉晓 嘯啸 協协 脅胁 諧谐 寫写 瀉泻 謝谢 鋅锌 釁衅 興兴 "
    "兇凶 洶汹 繡绣 鏽锈 虛虚 許许 須须 敘叙 緒绪 續续 懸悬 選选 學学 勳勋 詢询 尋寻 訓训 訊讯 遜逊 壓压 鴉鸦 啞哑 亞亚 煙烟 鹽盐 嚴严 顏颜 閻阎 厭厌 驗验 艷艳 燄焰 陽阳 楊杨 養养 癢痒 樣样 瑤瑶 藥药 爺爷 "
    "頁页 業业 葉叶 醫医 遺遗 儀仪 蟻蚁 藝艺 億亿 憶忆 義义 議议 異异 譯译 陰阴 銀银 飲饮 隱隐 應应 營营 蠅蝇 贏赢 擁拥 傭佣 癰痈 優优 憂忧 郵邮 猶犹 遊游 誘诱 漁渔 魚鱼 與与 嶼屿 語语 獄狱 譽誉 預预 禦御 "
    "馭驭 淵渊 員员 園园 圓圆 緣缘 遠远 願愿 約约 躍跃 閱阅 雲云 運运 暈晕 雜杂 災灾 載载 攢攒 暫暂 贊赞 髒脏 臟脏 棗枣 竈灶 責责 擇择 則则 澤泽 賊贼 贈赠 軋轧 閘闸 詐诈 齋斋 債债 嶄崭 盞盏 戰战 綻绽 張张 "
    "漲涨 帳帐 賬账 脹胀 趙赵 這这 貞贞 針针 偵侦 診诊 陣阵 鎮镇 爭争 掙挣 猙狰 幀帧 證证 鄭郑 織织 職职 執执 紙纸 摯挚 幟帜 質质 製制 滯滞 鐘钟 鍾钟 終终 種种 眾众 腫肿 皺皱 軸轴 晝昼 豬猪 諸诸 燭烛 囑嘱 "
    "貯贮 築筑 註注 駐驻 專专 磚砖 轉转 賺赚 樁桩 莊庄 裝装 壯壮 狀状 綴缀 準准 濁浊 資资 漬渍 綜综 總总 縱纵 鄒邹 組组 鑽钻 洩泄 瓏珑 慾欲 僱雇 蹤踪 託托 徵征 採采 瀕濒 蹺跷 拋抛 墜坠 癲癫 癡痴 憊惫 鬱郁 "
    "懨恹 纏缠 誆诓 誹诽 謗谤 謊谎 跡迹 剝剥 樑梁 鋒锋 鎚锤 錘锤 撐撑 佔占 瞭了 著着 後后 沒没 臺台 颱台 餘余 毀毁 燬毁 週周 麵面 鬆松 纔才 佈布 喫吃 彙汇 匯汇 飢饥 饑饥 聾聋 盜盗 賤贱 蠻蛮 辭辞 羣群 鷄鸡 "
    "鑰钥 闆板 颳刮 尷尴 錶表 鬍胡 餅饼 鍋锅 幾几 嬰婴 婁娄 斃毙 嗆呛 燻熏 躪躏 姦奸 徑径 獵猎 訛讹 囂嚣 藉借 贖赎 紮扎 煩烦 殘残 傢家 壺壶 錯错 輻辐 鑑鉴 來来 該该 於于 隻只 屍尸 懶懒 撿捡 壩坝 壇坛 艱艰 "
    "賴赖 銹锈 頂顶 額额 顆颗 顛颠 餵喂 顱颅 儘尽 儲储 兌兑 劃划 參参 嘩哗 嚨咙 墻墙 妝妆 寢寝 屆届 嶽岳 恆恒 懷怀 戶户 挾挟 捨舍 揚扬 搖摇 撥拨 攜携 斂敛 斬斩 暢畅 曠旷 檔档 氫氢 沖冲 渾浑 湧涌 濱滨 瀝沥 "
    "牽牵 瘡疮 睜睁 瞞瞒 矯矫 碼码 簡简 紅红 純纯 紋纹 綠绿 藍蓝 誇夸 貼贴 銷销 麥麦 黃黄 葯药 牀床 峯峰 癒愈 羈羁 鬚须 喲哟 蔥葱 啓启 鏟铲 鋸锯 鑿凿 燴烩 蹟迹 淨净 浄净 鈔钞 銅铜 鉤钩 鑲镶 諮咨 諷讽 譴谴 "
    "讒谗 貫贯 賀贺 賦赋 輝辉 閥阀 閣阁 闡阐 陝陕 隴陇 駁驳 鯊鲨 鴿鸽 鵝鹅 鶴鹤 龜龟 僑侨 俬私 傑杰 倉仓 侶侣 倫伦 僥侥 儉俭 剷铲 勻匀 匱匮 卹恤 叢丛 喬乔 嗶哔 囪囱 堯尧 塢坞 娛娱 嫗妪 寧宁 岡冈 嵐岚 彥彦 "
    "悅悦 惻恻 慟恸 戀恋 掄抡 攏拢 敎教 晉晋 朧胧 橫横 檸柠 殲歼 氈毡 淪沦 滾滚 潰溃 澆浇 爍烁 犢犊 瑪玛 甦苏 疊叠 矚瞩 礎础 祕秘 禪禅 穀谷 窯窑 競竞 糞粪 維维 緝缉 締缔 縛缚 纜缆 聳耸 脣唇 莢荚 蒐搜 蓮莲 "
    "蔔卜 薑姜 螞蚂 衊蔑 誡诫 謄誊 譁哗 豔艳 踴踊 軌轨 輾辗 辯辩 辮辫 醜丑 釘钉 鉗钳 錦锦 鏈链 鐮镰 隕陨 韓韩 飆飙 饒饶 駝驼 鱗鳞"
)
_TABLE = str.maketrans({pair[0]: pair[1] for pair in _TRADITIONAL.split()})
_SIMPLIFIED = {pair[0]: pair[1] for pair in _TRADITIONAL.split()}
_TRADITIONAL_SIGN = re.compile(f"[{''.join(_SIMPLIFIED)}]")
_OFTEN_WIDE = tuple((wide, unicodedata.normalize("NFKC", wide)) for wide in "，：；！？（）…～　\u00a0")
_SELDOM_WIDE = re.compile(r"[\uff01-\uff5e\u2460-\u24ff\u3300-\u33ff\ufe30-\ufe6b\u2100-\u214f]")
_FEW = 40

_ONE = r"[\u3400-\u9fff]"
_SIGNS = r"[*·•.\-_~|/\\^#@+=]"
_SIGNS_INSIDE = re.compile(rf"{_SIGNS}(?<={_ONE}{_SIGNS}){_SIGNS}*(?={_ONE})")
_SPELLED_OUT = re.compile(rf"(?<!{_ONE})(?:{_ONE}[^\w]{{1,3}}){{2,}}{_ONE}(?!{_ONE})")
_NO_WORD = re.compile(r"[^\w]+")
_UNSEEN = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")


def one_form(text: str) -> str:
    """Simplified, half width, lower case, without characters that nobody sees and signs put between those of a word.

    Punctuation between words stays: it parts clauses.
    """
    text = _simplified(one_width(_UNSEEN.sub("", text)).casefold())
    return _SPELLED_OUT.sub(lambda found: _NO_WORD.sub("", found[0]), _SIGNS_INSIDE.sub("", text))


def one_width(text: str) -> str:
    """The normal form NFKC. The wide signs of nearly every Chinese text go first: without them most texts are in that form
    already, which is seen ten times as quickly as it is made."""
    for wide, narrow in _OFTEN_WIDE:
        text = text.replace(wide, narrow)
    if unicodedata.is_normalized("NFKC", text):
        return text
    for each in set(_SELDOM_WIDE.findall(text)):
        text = text.replace(each, unicodedata.normalize("NFKC", each))
    return unicodedata.normalize("NFKC", text)


def _simplified(text: str) -> str:
    there = set(_TRADITIONAL_SIGN.findall(text))
    if len(there) > _FEW:
        return text.translate(_TABLE)
    for each in there:
        text = text.replace(each, _SIMPLIFIED[each])
    return text
