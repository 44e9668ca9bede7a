package blog

// theme is what the posts about one thing are made of. In the texts {s} is the
// post's subject, {S} the same with a capital, {n} a number in words, {day} a weekday and
// {place} one of the theme's places.
type theme struct {
	authors   []int // indices of seedAuthors
	tags      []string
	places    []string
	subjects  []string
	titles    []string
	summaries []string
	openings  []string
	middles   []string
	closings  []string
}

var seedAuthors = []struct{ name, bio string }{
	{"Ines Varga", "Bakes before dawn and writes about it after. Keeps a rye starter named Gustav alive, mostly by neglect."},
	{"Tomasz Reed", "Makes chairs and mends older ones in a shed with one window. Believes in sharp edges and short words."},
	{"Priya Nandakumar", "Programmer of twenty years, most of them spent removing code. Writes down what the bugs had to say."},
	{"Jonas Ekdahl", "Walks long ways with a small bag. Collects paper maps, and the mistakes printed on them."},
	{"Marguerite Osei", "Gardens on clay, in the rain, on purpose. Has opinions about compost that you did not ask for."},
	{"Daniel Whitlock", "Cooks, digs and solders in no particular order. Writes the posts that begin with something broken."},
}

var (
	seedCommonTags = []string{"Beginnings", "Mistakes", "Long reads"}
	seedDays       = []string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
	seedNumbers    = []string{"three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven"}
	seedReaders    = []string{
		"Agnes", "Bartholomew K.", "Chiara", "Dev", "Elif", "Frieda M.", "Gwen", "Hamid", "Ingrid", "Joaquín", "Kesia", "Lars",
		"Mo", "Noor", "Old Pete", "Paloma", "Quentin", "Rosa B.", "Sunniva", "Theo", "Una", "Viktor", "Wen", "Xavier", "Yuki", "Zadie",
	}
	seedComments = []string{
		"I tried this on {day} and it worked better than I had any right to expect. Thank you.",
		"The part about going slowly is what I needed to read today.",
		"Small disagreement: I would wait at least {n} days longer. But I am known for waiting.",
		"My grandmother did exactly this and never wrote it down. Now I can stop guessing.",
		"Printed it, pinned it to the wall, and have already spilled something on it.",
		"Has anybody managed this in a small flat? I have one table and two cats.",
		"I came for {s} and stayed for the paragraph about failure.",
		"Honest question: how do you know when to stop?",
		"This is the third time I have come back to this page. I should just learn it.",
		"We talked about this over dinner for an hour. Nobody agreed, everybody had fun.",
		"You make it sound easy. It was not easy. It was good, though.",
		"A tip from a cold house: put everything next to the boiler and pretend it is June.",
		"Please write more about the tools. The cheap ones, I mean.",
		"I did it the other way round by accident and it was fine. Perhaps the order matters less than we think.",
		"Lovely. The last sentence made me put the phone down and go outside.",
		"After {n} attempts I can confirm that the first one is always the worst.",
		"Is there a version of this for people who have ten minutes?",
		"I sent this to my brother, who has been wrong about {s} since 2009.",
		"Thanks for admitting what went wrong. Most people only show the result.",
		"Bookmarked, and for once I mean it.",
	}
)

var seedThemes = []theme{
	{
		authors: []int{0, 0, 0, 5},
		tags:    []string{"Bread", "Kitchen", "Fermentation"},
		places:  []string{"the back kitchen", "my sister's flat", "the holiday cottage", "the village hall"},
		subjects: []string{
			"rye sourdough", "focaccia", "soda bread", "porridge bread", "bagels", "pizza dough", "brioche", "flatbread", "ciabatta", "a plain white loaf",
		},
		titles: []string{
			"What {s} taught me about patience", "{S} in a cold kitchen", "A weekend with {s}", "Why I keep coming back to {s}", "{S} without a recipe", "The tenth attempt at {s}",
		},
		summaries: []string{
			"Flour, water, salt and {n} hours of leaving things alone.",
			"The oven was too cold, the dough too wet, and the result was the best {s} of the year.",
			"Everything I now do differently, and the one thing I should never have changed.",
			"Notes from {place}, where the thermometer is broken and nobody minds.",
			"A bowl, a towel and a long wait. Most of this is about the wait.",
			"On flour that behaves, flour that does not, and how to tell them apart by {day}.",
			"I counted the loaves since spring. There were too many to count, and {n} of them were good.",
			"What to do when the dough has plans of its own, and why to let it.",
		},
		openings: []string{
			"On {day} I weighed everything, wrote it all down, and then did none of it. The dough had other plans. It usually does, and the sooner I stop arguing the better we both feel.",
			"There are two kinds of instructions for {s}: those that fill a page, and those that fit on the back of an envelope. I have baked from both for years, and I trust the envelope.",
			"I started {s} at {place} because it was raining and there was flour. That is still the best reason I know. Everything else, the starters and the schedules, came later and mattered less.",
			"Somebody asked me how long {s} takes. About twenty minutes, I said, spread over a day and a half. They laughed. I was not joking, and if you have ever shaped a loaf at midnight you know why.",
		},
		middles: []string{
			"The first change I made was to use less of everything. Less yeast, less kneading, less heat at the start. Time does the work that force only pretends to do. After {n} hours in a cool corner the dough was smooth as a river stone, and I had not touched it once.",
			"Salt goes in later than you think. If it meets the flour at once it tightens everything up before the water has arrived. Half an hour is enough. I use the time to wash the bowl I will need next, which is the closest I come to being organised.",
			"A word about water. Mine is hard, and it shows: the crumb is tight unless I go up by a few grams. At {place} it is soft, and the same recipe runs off the table. No book can know this about your tap. Keep a pencil near the scale.",
			"I have stopped watching the clock and started watching the dough. It should wobble when you nudge the bowl, like something about to wake up. If it sighs and stays down, it has waited too long for you. Bake it anyway. Flat bread is still bread.",
			"Steam makes the crust. An old pan on the oven floor and a cup of boiling water will do, if you mind your wrists. I bought the expensive lid, used it {n} times, and went back to the pan. The lid is now a very good doorstop.",
			"The mistake I made most often was flour on the table. It feels safe, and it dries out the very part that has to stick to itself. A wet hand and a quick movement are better. It took a whole winter until I believed that, and one afternoon until I could do it.",
			"Cut it when it is cold. I know. I have never managed either. But the inside goes on baking for an hour after it has left the oven, and the slice you take too early is a little gummy and tastes only of being hot.",
			"My notes from that week say: too warm, too warm, forgot salt, good, good, too warm. It is not much of a diary. Still, when I read it a year later I could smell the kitchen, and I knew at once which of the good ones had been the good one.",
		},
		closings: []string{
			"That is all there is to it, and it will take you years. I hope it does. The loaves on the way are worth eating.",
			"If yours comes out flat, toast it. If it comes out hard, make soup. If it comes out well, give half of it away before you start to think it was skill.",
			"Next week I will try it again with a little less water, and I will tell you here how that goes wrong.",
		},
	},
	{
		authors: []int{1, 1, 1, 5},
		tags:    []string{"Woodwork", "Hand tools", "Repair"},
		places:  []string{"the shed", "a friend's garage", "the evening class", "the kitchen table"},
		subjects: []string{
			"a three-legged stool", "a dovetailed box", "a hand plane", "a kitchen chair", "a small bookcase", "a mortise chisel", "a workbench", "a spoon", "a drawer that sticks", "an old tool chest",
		},
		titles: []string{
			"How I went wrong with {s}", "{S}, from one plank", "Notes on {s}", "Learning from {s}", "The second life of {s}", "{S} and the case for going slowly",
		},
		summaries: []string{
			"One plank, {n} evenings, and a joint that closed on the last try.",
			"What {s} looks like when you stop hiding the mistakes.",
			"A sharp edge, a marked line and no hurry. The rest is decoration.",
			"It came from {place} in pieces. It went back in one.",
			"The plan had {n} steps. I only needed the first and the last.",
			"About marking with a knife, listening to a chisel, and leaving well alone.",
			"A slow job in {place}, told in the order in which it went wrong.",
			"Why I sharpened for an hour before I cut anything at all.",
		},
		openings: []string{
			"The wood for {s} had been leaning against the wall of {place} for so long that I had begun to apologise to it. On {day} I ran out of other things to do first.",
			"I was taught that you measure twice and cut once. Nobody told me about marking from the piece itself, which is to measure not at all, and has saved me more wood than any ruler.",
			"It is a good rule to make everything once in bad wood. I ignored it with {s}, and so this is partly a story about firewood.",
			"When somebody hands you {s} and asks whether it can be saved, the answer is nearly always yes. Whether it should be is another matter, and you only find out by taking it apart.",
		},
		middles: []string{
			"Sharpening is the whole craft in miniature. You remove what should not be there until two flat surfaces meet in a line. I give it {n} minutes at the start of every session, before I am tired enough to make excuses.",
			"The line decides. I mark with a knife, not with a pencil, because a pencil line has two sides and a knife line has one. The chisel finds it by itself and clicks into place. If you listen you can hear when it is right.",
			"I cut the first joint too tight and, being proud of it, drove it home with a mallet. The crack ran the length of the board. It was a very neat crack. I have kept the board, and I look at it when I feel clever.",
			"Grain is a direction, and it does not care what the drawing says. Where it rises towards you the plane will tear; turn the board round, or skew the iron, or accept a smaller shaving. Most of what looks like skill is turning the board round.",
			"There is a moment in every repair when more has been taken off than put on. It lasts about {n} days. Do not let anybody into {place} during that time, and do not post pictures of it.",
			"Glue is slower than you fear and faster than you hope. Do everything once dry, with all the clamps, in the order in which you will need them. I lay them out like instruments. It feels silly for the minute and a half before it feels wise.",
			"I finished it with oil and nothing else. It will mark, and darken where hands go, and in ten years it will look like something. Lacquer looks its best on the day you put it on, which seems to me the wrong way round.",
			"Cheap tools can be made to work and dear ones can be made not to. The plane I use most cost less than lunch, had rust on every face, and wanted an afternoon of attention. That afternoon taught me more about planes than the plane did.",
		},
		closings: []string{
			"It wobbles a little. I could take it apart and find out why. But it has been sat on every day since, and nobody but me has noticed.",
			"The offcuts lit the stove, the shavings went to the garden, and the thing itself went to the person who had asked for it. It was a good week.",
			"I will make another one. Not because this one is bad, but because now I know which questions to ask it.",
		},
	},
	{
		authors: []int{2, 2, 2, 5},
		tags:    []string{"Programming", "Databases", "Debugging", "Tools"},
		places:  []string{"production", "the staging server", "a laptop on a train", "the oldest repository"},
		subjects: []string{
			"a slow query", "the queue that stopped", "a cache nobody needed", "time zones", "a memory leak", "the nightly import", "a flaky test", "unicode", "the retry loop", "a missing index",
		},
		titles: []string{
			"An afternoon lost to {s}", "What I now know about {s}", "{S}, explained with a pencil", "A short history of {s}", "Living with {s}", "{S} and other things I deleted",
		},
		summaries: []string{
			"It only happened on {day}, only in {place}, and only when somebody was watching.",
			"The bug was one line. Finding it took {n} people and a whiteboard.",
			"A plain account of {s}: the symptom, the wrong guesses, the cause, and what we changed.",
			"Less code, fewer surprises, and a graph that finally lies flat.",
			"Everything was fine in the test. It was the clock that was different.",
			"What the log said, once somebody read it from the top.",
			"We had {n} theories, and measured. All of them were wrong in the same way.",
			"On deleting code that had outlived its reason.",
		},
		openings: []string{
			"The report said that the page was slow. Not broken, not wrong: slow, and only on {day}. I have learned to fear such reports. Something that fails is honest. Something that is slow is hiding {s} somewhere.",
			"This began in {place}, as these things do, with a graph that had a tooth in it. Every {n} minutes it rose, and every {n} minutes it fell, and everybody had their own theory about {s}.",
			"I would like to tell you that I found it by reasoning. I found it by reading the log from the top, slowly, with a finger on the screen, like a person learning to read.",
			"People speak of {s} as if it were weather. It is not. Somebody wrote it, usually for a good reason, and usually that reason is still in the history if you look for it.",
		},
		middles: []string{
			"The first step was to make it happen on purpose. Until you can do that you are not debugging, you are waiting. It took {n} tries and a loop in the shell, and when it finally failed on my own machine I was as happy as if I had fixed it.",
			"We wrote down what we believed, one sentence on each line, and then tested the sentences instead of the program. The fourth one was false. It had been false for two years. It was also the one that nobody had wanted to write down because it was so obvious.",
			"Measuring changed the conversation. Before, there were opinions; after, there was a number, and the number was not where any of the opinions had been. Ninety percent of the time went into a function whose name began with get and which, it turned out, did rather more than that.",
			"The tempting fix was a cache. It would have worked until the evening. But a cache in front of a mistake is a mistake with a memory, and I have had to explain too many of those. So we took the long way and asked for the data once, in one query, in the shape in which it was needed.",
			"An index is a promise about a question. Ours answered a question that nobody asked any more. The one people did ask was read from the table from the first row to the last, faithfully, forty times per page. The plan had said so all along, in plain words, to anyone who looked.",
			"I removed more than I added. The retry went, because what it retried could not succeed. The flag went, because both of its settings did the same. What remained fitted on one screen, and for the first time in years a new colleague could read it and say: oh, is that all?",
			"Then we wrote the test that should have existed. It is seven lines. It inserts two rows, moves the clock, and asks how many there are. I keep thinking about those seven lines, and about the {n} people who were woken up for the lack of them.",
			"None of this was clever. The tools were a debugger, a pencil and the willingness to be bored for an hour. If there is a trick, it is to stop guessing a little earlier than feels natural.",
		},
		closings: []string{
			"The graph is flat now. I look at it sometimes, the way one looks at a quiet street.",
			"If you remember one thing: write down what you believe, and then go and see. The rest is typing.",
			"We closed the ticket on {day}. The commit has one line of code and forty of explanation, which seems about right.",
		},
	},
	{
		authors: []int{3, 3, 3, 4},
		tags:    []string{"Walking", "Maps", "Weather"},
		places:  []string{"the ridge", "the coast path", "the old railway", "the edge of town"},
		subjects: []string{
			"the long way home", "a path that is not there", "the last bus", "a paper map", "wet boots", "an empty hut", "the first frost", "a night outside", "the ford at high water", "a borrowed dog",
		},
		titles: []string{
			"{S}, and what to make of it", "In praise of {s}", "Two days with {s}", "{S}: a small report", "Walking with {s}", "Against the guidebook: {s}",
		},
		summaries: []string{
			"Twenty kilometres, {n} stiles, one wrong turn that improved the day.",
			"A walk along {place} with no particular plan, and what came of it.",
			"On {s}, on going slowly, and on the sandwich as a unit of distance.",
			"The forecast said rain. The forecast was right, and it did not matter.",
			"Why the best part of {place} is the part without a sign.",
			"A bag, a flask, and somebody to blame for the route.",
			"What a map leaves out, noted down at {n} gates.",
			"We set off late on {day} and were glad of it by evening.",
		},
		openings: []string{
			"We left on {day}, late, with the wrong socks. I mention it because every account of a walk that I admire begins with something going slightly wrong, and because the socks come up again later.",
			"From the window of the train {place} looks like nothing at all: a line, a fence, a few birds. You have to get off and stand in it. It takes about ten minutes until the place begins to talk.",
			"I have carried the same map for {n} years. It is soft as cloth along the folds, and two villages have worn away entirely. This is an account of {s}, and partly of those villages.",
			"Nobody plans for {s}. It arrives, usually around four in the afternoon, and you find out what sort of company you keep.",
		},
		middles: []string{
			"The path on the map went straight over the hill. The path on the ground had thought about it for a few hundred years and went round. I have come to trust the ground. It remembers where the water goes.",
			"There is a pace at which a bag weighs nothing. It is slower than you would like and you can keep it up all day. Children find it at once. Grown people find it after the second hour, when they have stopped trying to arrive.",
			"It rained from the bridge to the church and from the church to the farm. Then it stopped, all at once, as if somebody had remembered something, and everything steamed. We stood under a tree that was raining on its own for a while longer and ate what was left.",
			"A farmer asked where we were going. I named the place. He thought about it, and told us a better one. Of all the advice I have been given on {place}, this was the only kind that never turned out wrong.",
			"I used to count kilometres. Now I count gates, and good walls to sit on, and dogs. By that measure it was a long day: {n} gates, two walls, and a dog that came along as far as the stream and then looked at us as if we were making a mistake.",
			"Getting lost has a bad name. What it means is that for an hour you look at everything properly, because anything might matter: the slope, the moss, the sound of a road. I remember that hour better than the other seven.",
			"Dry feet are a matter of luck, and spare socks are a matter of character. I had put mine where I could not reach them without unpacking everything, in the rain, on one leg. I know the place well now. There is a stone there of exactly the wrong height.",
			"In the evening the light came in low under the cloud and set the whole side of the valley on fire, every blade of it. It lasted as long as it takes to find a camera. So I have no picture, and can describe it as I like.",
		},
		closings: []string{
			"We missed the bus by a minute and walked the last stretch too. I would not have it back.",
			"If you go, go on a {day}, and take the second turning. Tell the dog I said hello.",
			"The socks dried on the stove overnight and smelled of smoke for a week. That, too, was a kind of souvenir.",
		},
	},
	{
		authors: []int{4, 4, 4, 3},
		tags:    []string{"Gardening", "Soil", "Seasons"},
		places:  []string{"the lower bed", "the allotment", "the corner by the shed", "a row of pots"},
		subjects: []string{
			"broad beans", "heavy clay", "compost", "slugs", "a late frost", "garlic", "the old apple tree", "a wet spring", "saving seed", "too many courgettes",
		},
		titles: []string{
			"A year with {s}", "Making peace with {s}", "{S}: what the books leave out", "The trouble with {s}", "{S}, one square metre at a time", "Late thoughts on {s}",
		},
		summaries: []string{
			"Nothing happened for {n} weeks, and then everything happened on a {day}.",
			"What I planned for {place}, what came up instead, and why I left it there.",
			"A few honest words about {s}, from somebody still on her knees in it.",
			"Dig less, wait longer, and put the kettle on.",
			"The weeds won {n} times this year. Here is the score in full.",
			"Something is growing in {place}. I have decided to be pleased.",
			"On doing nothing at the right moment, which is harder than digging.",
			"Notes made with a pencil, a cold hand and a good deal of string.",
		},
		openings: []string{
			"The plan for {place} was drawn in January, in pencil, by the fire, by a person who had forgotten what mud weighs. I found the drawing again in June. We had a good laugh, {s} and I.",
			"Every gardener has one subject on which they are unreasonable. Mine is {s}. I will try to be brief, and I will fail.",
			"On {day} I went out for five minutes before breakfast, and came back in when it was dark. In between lay {s}.",
			"People ask what grows well on clay. Boots, I tell them. But it is not true, and since I have said it so often I owe {place} an apology.",
		},
		middles: []string{
			"Soil is not dirt; it is a crowd. Whatever you do to it you do to several million residents, most of whom were there first. Since I stopped turning everything over each autumn they have been getting on with the work, and I have been getting on with the watching.",
			"The first seedlings came up after {n} days, in a line so straight that I suspected the neighbour. By the end of the week something had eaten every second one. It was, I have to admit, very evenly done.",
			"I water in the morning, seldom and much. A little every evening makes lazy roots and happy slugs. It is hard to do nothing on a warm night with a can in your hand, so I have taken to carrying a cup of tea instead.",
			"There is a right day for everything, and it is not in the book, because the book was written two hundred miles from here. The blackthorn knows. When it is over, the ground by the wall is warm enough to sit on, and that is the test my grandfather used, with fewer words.",
			"The compost heap is the only part of the garden that has never disappointed me. Things go in that nobody wants, and something comes out that everybody does. If there is a lesson in it I have been too busy turning it to notice.",
			"I lost {n} plants in one night and was cross for a week. Then the gaps filled up with self-sown marigolds, in an orange that I would never have chosen and now cannot imagine the place without. I did not plan it. I only failed to prevent it, which is most of gardening.",
			"Write the label at once. You will not remember. You think you will, with the packet in your hand and the sun on your neck, and in May you stand there before two green rows, asking them their names.",
			"At the end of the season I pull nothing up. The stalks stand over winter, full of small sleepers, and look rather fine in the frost. It is called habitat these days. I used to call it not having got round to it.",
		},
		closings: []string{
			"It is raining again. The water stands where it always stands, and something green has already made up its mind about that.",
			"Come in October and I will give you a bag of whatever there is too much of. There will be too much of something.",
			"Next year I will do it all differently, as I have done every year, and it will come up the way it wants to. I would be disappointed otherwise.",
		},
	},
}
