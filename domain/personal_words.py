"""The words that names and doors are known by, in both languages, and those that only look like it."""

from __future__ import annotations

SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏窦章苏潘葛范彭郎鲁韦马苗方俞任袁柳"
    "鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于傅卞齐康伍余元顾孟黄穆萧尹姚邵湛汪祁毛禹狄米贝臧戴宋茅庞熊纪舒屈项祝"
    "董梁杜阮蓝闵席季麻强贾路江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万柯管卢莫房解应丁宣邓郁单洪包诸左石崔吉龚程"
    "嵇邢裴陆荣翁荀甄曲封储靳段焦牧谷车侯宁仇甘厉戎武符刘景詹龙叶黎薄白蒲赖卓蔺屠蒙池乔谭劳申冉雍桑桂牛边燕尚农"
    "温庄晏柴瞿阎习艾鱼容向古易廖步耿匡文寇聂曾关游覃闫岳占肖涂佟邝仝佘占辛简饶苟隋"
)  # fmt: skip
COMPOUND_SURNAMES = frozenset((
    "欧阳", "司马", "上官", "诸葛", "夏侯", "皇甫", "尉迟", "公孙", "慕容", "令狐", "司徒", "端木", "南宫", "东方", "独孤",
    "长孙", "宇文", "呼延", "轩辕",
))  # fmt: skip
WORDLIKE = frozenset(
    "习许路高时安常方于马应文白明和向管车边金元石水左关解成项任房席季包强解封储班甘武景龙单白农容向古易步游占简申司"
)
"""Surnames that are everyday words as well: believed right before a title, and not as the start of a longer name there."""

NO_NAMES = ("谢谢", "麻烦", "劳烦", "施工", "纪检", "卫生", "卫计", "宣传", "万望", "周末", "严重", "严查", "严格")
"""Words that begin with a surname and stand where a name would: 麻烦李主任 asks 李."""
THANKS = ("感谢", "多谢", "谢谢", "祝")

TITLES = (
    "老太太", "老先生", "老大爷", "老人家", "先生", "女士", "小姐", "太太", "阿姨", "叔叔", "伯伯", "大爷", "大妈", "大伯", "大叔",
    "大姐", "大哥", "大娘", "大婶", "大嫂", "奶奶", "爷爷", "婆婆", "师傅", "老师", "教授", "医生", "大夫", "护士", "律师", "警官",
    "法官", "主任", "局长", "处长", "科长", "所长", "队长", "站长", "校长", "院长", "书记", "经理", "老板", "主席", "镇长", "村长",
    "组长", "店长", "园长", "部长", "厅长", "市长", "县长", "区长", "乡长", "秘书", "主管", "会计", "同志", "同学", "女儿",
    "爹爹", "娭毑", "嫂子", "校医",
)  # fmt: skip
NO_TITLES_BEFORE = "部门|单位|机关|领导|事务|团|员|师事|核算|法|职责|一职|部"
"""主管部门, 律师事务所: the words go on and mean something else."""
OFFICES = ("长", "主任", "书记", "经理", "主席", "主管")
"""How titles of offices end: before them 任 says that somebody holds one."""
SHORT_TITLES = "姐哥叔嫂婶总爷"
AFTER_SHORT_TITLE = frozenset("是共在有部体结数算计之而要会能不人地程作厂们妹弟伯婆父")
"""What makes a word of its own of the title: 总是, 工程, 哥们. Of these 是 and 在 follow a name too; recall gives way there."""

NO_NAMES_BEFORE_TITLES = frozenset((
    "对方", "双方", "甲方", "乙方", "校方", "官方", "警方", "厂方", "地方", "院方", "资方", "各方", "多方", "公安", "保安", "治安", "平安", "国安",
    "城管", "交管", "主管", "物管", "监管", "经管", "房管", "信管", "企管", "分管", "语文", "中文", "外文", "音乐", "主任", "责任", "上任", "前任",
    "现任", "任何", "如何", "为何", "关于", "由于", "对于", "至于", "属于", "提高", "最高", "中高", "门卫", "警卫", "公交车", "出租车", "货车",
    "开车", "修车", "网约车", "公车", "校车", "黑车", "停车", "吊车", "小车", "叉车", "班车", "汽车", "当时", "平时", "小时", "临时", "非常", "经常",
    "正常", "明白", "资金", "基金", "奖金", "押金", "租金", "现金", "公积金", "事项", "路段", "时段", "阶段", "简单", "容易", "交易", "也许", "允许",
    "收费", "学费", "一些", "多元", "单元", "公元", "新房", "租房", "住房", "公房", "物房", "厨房", "药房", "道路", "公路", "铁路", "线路", "马路",
    "村路", "立马", "旁边", "路边", "这边", "那边", "楼边", "周边", "向", "石油", "风水", "小班", "大班", "中班", "跟班", "值班", "上班", "同班",
    "全班", "机关", "海关", "有关", "相关", "理解", "了解", "密封", "美容", "整容", "上周", "本周", "下周", "每周", "一周", "两周", "三周", "四周",
    "几周",
))  # fmt: skip

NOT_IN_GIVEN_NAMES = frozenset(
    "的了是在和与及或边里上下前后问说让给请到向对把被从就都不没有也很我你他她它们这那哪个些什么怎吗呢吧着过还再又但而且因为所以"
    "年月日时点分元号楼栋室区街路巷院局处厅委部门办公业户主物管住家人们电话联系身份证先女阿叔伯姨师傅老某者员事局要会"
    "总副姓等社馆店厂场需可由惯贴队站校镇询仍均"
)
LEADS = (
    "我叫", "我名叫", "名叫", "名字叫", "名字是", "叫做", "姓名", "联系人", "报修人", "投诉人", "举报人", "申请人", "反映人", "诉求人", "来电人", "来信人",
    "经办人", "当事人", "负责人", "委托人", "承租人", "购房人", "收件人", "收货人", "户主", "户名", "房东", "租客", "租户", "业主", "邻居", "本人",
    "我是", "爱人", "妻子", "丈夫", "儿子", "女儿", "父亲", "母亲", "老公", "老婆", "弟弟", "哥哥", "姐姐", "妹妹", "孙子", "孙女", "爷爷", "奶奶",
    "外婆", "外公", "市民", "村民", "居民", "患者", "受害人", "死者", "伤者", "职工", "员工", "学生", "楼长", "网格员", "司机", "签名", "署名",
    "此致",
)  # fmt: skip
FOLLOWS_NAME = tuple(
    ",。.;:、()\"'”“ \n?!/·住在说是的电联身手男女已反来称问与和及因于向等同告从家一去自今年生出现系，有申要"
)
NOT_AFTER_I_AM = frozenset("人户员主民生长工师者客商兵友伴族妈爸方")
"""我是武汉人, 我是党员: what somebody is, and not who."""
NO_NAME_AFTER_LEAD = frozenset((
    "劳动", "劳务", "宣传", "纪律", "曾多", "曾将", "陆续", "谢谢", "耿耿", "尤其", "陈述", "张嘴", "许可", "许多", "习惯", "严重", "严格", "常住",
    "高三", "高二", "高一", "高中", "初中", "安置", "应届", "强烈", "强行", "单身", "单亲", "农村", "农民", "文盲", "车主", "关于", "房东", "房主",
    "于今", "向来", "向往", "万般", "任何", "曾经", "曾在", "常年", "常常", "家长", "左右", "应该", "应当", "解释", "解决", "管理", "高层", "高度",
    "高位", "白天", "单独", "安全", "毕业", "元旦", "时常", "马上", "相关", "有关", "路过", "全家", "方便", "温州", "江苏", "江西", "安徽", "武汉",
    "贵州", "广东", "海南", "成都", "石家", "宁夏", "黑龙", "吉林", "康复", "包括", "通过", "费用", "何时", "何人", "何处", "易燃", "应聘", "关心",
    "关注", "强调", "白血", "段时", "项目", "计划", "金额", "石沉",
))  # fmt: skip

ENGLISH_TITLES = (
    "Mr", "Mrs", "Ms", "Miss", "Mx", "Dr", "Prof", "Professor", "Sir", "Madam", "Uncle", "Aunt", "Auntie", "Nurse", "Officer",
    "Councillor", "Councilman", "Councilwoman", "Inspector", "Reverend", "Rev", "Sister", "Father", "Pastor", "Captain", "Sergeant",
)  # fmt: skip
STREET_WORDS = (
    "Street", "St", "Road", "Rd", "Avenue", "Ave", "Lane", "Ln", "Drive", "Court", "Ct", "Boulevard", "Blvd", "Place", "Pl",
    "Terrace", "Way", "Close", "Crescent", "Square", "Sq", "Gardens", "Grove", "Row", "Mews", "Hill", "Parkway", "Pkwy", "Highway",
    "Alley", "Quay", "Walk", "Park", "Bridge",
)  # fmt: skip
NAMES_OF_PLACES = (
    *STREET_WORDS, "Jr", "Hospital", "School", "College", "University", "Library", "Center", "Centre", "Memorial",
    "Station", "Department", "Office", "Council", "Hall", "Service", "Services", "Hotline", "Police", "Works", "Desk", "Bank", "Clinic",
    "House", "Company", "Team", "Government", "Authority", "Control", "Management", "City", "County", "Public", "Water", "Fire",
    "Support", "Customer", "Emergency", "Housing", "Transport", "Transit", "Estate", "Agency", "Board", "Ministry", "Beach",
    "Village", "Heights", "Springs", "Bay",
)  # fmt: skip
NO_ENGLISH_NAMES = frozenset((
    "not", "on", "in", "the", "a", "an", "no", "never", "still", "wrong", "misspelled", "and", "to", "for", "with", "spelled", "missing",
    "spelt", "unimportant", "irrelevant", "known", "being", "from", "but", "also", "at", "is", "i", "there", "it", "listed", "already",
))  # fmt: skip
