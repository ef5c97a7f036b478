using System.Globalization;
using System.Text.RegularExpressions;
using Bunit;
using Dashboard.Domain;
using Dashboard.Domain.Logs;
using Dashboard.Tests.Shared;
using Dashboard.Web.Components;
using Dashboard.Web.Features.Jobs;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Web.Tests.Jobs;

public sealed partial class JobConsoleTests : BunitContext
{
    private readonly ScriptedLogFeed _feed = new();
    private readonly TailScript _tail;
    private readonly FakeTimeProvider _clock = new();

    public JobConsoleTests()
    {
        Services.AddSingleton<ILogFeed>(_feed);
        Services.AddSingleton<TimeProvider>(_clock);
        _tail = new TailScript(this);
    }

    [Fact]
    public async Task A_line_is_in_the_history_or_in_the_tail_and_never_in_both_or_neither()
    {
        _feed.WriteLines(900);
        var console = Console();
        await Holds(console, 900);

        foreach (var batch in new[] { 1, 700, 799, 1, 5, 1_500, 2_600, 3 })
        {
            _feed.WriteLines(batch);
            await Holds(console, _feed.Count);
        }

        Assert.True(_tail.Held.Count <= 2_000);
        Assert.Equal(6_509, _feed.Count);
    }

    [Fact]
    public async Task A_console_opened_late_shows_the_lines_written_before_it()
    {
        _feed.WriteLines(40);
        var console = Console();
        await Holds(console, 40);
        Assert.Equal("line 0", _tail.Texts[0]);
    }

    [Fact]
    public async Task A_lost_tail_is_said_and_taken_up_at_the_line_after_the_last_one_shown()
    {
        _feed.WriteLines(3);
        var console = Console();
        await Holds(console, 3);

        _feed.Break(new IOException("the session closed"));
        await Soon(() => console.Markup.Contains("Lost the tail at line 3", StringComparison.Ordinal), "the loss is said");
        _feed.WriteLines(2);
        _clock.Advance(TimeSpan.FromSeconds(2));

        await Holds(console, 5);
        Assert.DoesNotContain("Lost the tail", console.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lines_that_arrive_while_reading_further_up_are_counted_until_the_end_is_reached()
    {
        _feed.WriteLines(3);
        var console = Console();
        await Holds(console, 3);

        await console.Instance.FollowingChanged(false);
        _feed.WriteLines(412);
        await Soon(() => console.FindAll(".console-unseen").Count == 1, "unseen lines are offered");
        Assert.Equal("412 new lines · End", console.Find(".console-unseen").TextContent);
        Assert.Equal("paused", console.Find(".chip").TextContent);

        await console.Instance.FollowingChanged(true);
        Assert.Empty(console.FindAll(".console-unseen"));
        Assert.Equal("following", console.Find(".chip").TextContent);
    }

    [Fact]
    public async Task Our_own_lines_are_marked_and_machine_output_stays_text()
    {
        _feed.Write("<b>bold</b><script>alert(1)</script>");
        _feed.WriteOurs("brought home: checkpoint-1800");
        _feed.WriteLines(600); // pushes both into the history when it is opened
        var console = Console();
        await Holds(console, 602);

        var history = console.FindAll(".console-history .line .tx");
        Assert.Equal("<b>bold</b><script>alert(1)</script>", history[0].TextContent);
        Assert.Equal("▸ brought home: checkpoint-1800", history[1].TextContent);
        Assert.Empty(console.FindAll(".console script"));
    }

    [Fact]
    public async Task Search_finds_lines_of_the_whole_log_not_only_those_in_view()
    {
        _feed.Write("needle at the very beginning");
        _feed.WriteLines(5_000);
        _feed.Write("another NEEDLE near the end");
        _feed.WriteLines(10);
        var console = Console();
        await Holds(console, 5_012);

        await Find(console, "needle");
        await Soon(() => Count(console) == "2 of 2", "both lines are counted, the newest shown first");
        Assert.Equal([5_001], _tail.Revealed);

        console.Find(".console-find input").KeyDown("Enter");
        await Soon(() => Count(console) == "1 of 2", "next goes round to the first");
        console.Find(".console-find input").KeyDown(new Microsoft.AspNetCore.Components.Web.KeyboardEventArgs { Key = "Enter", ShiftKey = true });
        await Soon(() => Count(console) == "2 of 2", "shift goes back");
        Assert.Equal([5_001, 0, 5_001], _tail.Revealed);
    }

    [Fact]
    public async Task Hits_that_arrive_are_counted_and_what_is_read_stays()
    {
        _feed.Write("needle");
        var console = Console();
        await Holds(console, 1);
        await Find(console, "needle");
        await Soon(() => Count(console) == "1 of 1", "the stored line is found");

        _feed.Write("nothing", "a second needle");
        await Soon(() => Count(console) == "1 of 2", "the new hit is counted");
        Assert.Equal([0], _tail.Revealed);
    }

    [Fact]
    public async Task A_text_that_no_line_holds_says_so_and_escape_ends_the_search()
    {
        _feed.WriteLines(3);
        var console = Console();
        await Holds(console, 3);
        await Find(console, "nowhere");
        await Soon(() => Count(console) == "no line", "nothing is found");
        Assert.All(console.FindAll(".console-find button"), b => Assert.True(b.HasAttribute("disabled")));

        console.Find(".console-find input").KeyDown("Escape");
        await Soon(() => console.FindAll(".console-find button").Count == 0, "the search is over");
    }

    [Fact]
    public async Task Leaving_the_page_ends_the_follow()
    {
        _feed.WriteLines(1);
        var console = Console();
        await Holds(console, 1);
        Assert.Equal(1, _feed.Following);

        await DisposeComponentsAsync();
        Assert.Equal(0, _feed.Following);
    }

    [Theory]
    [InlineData("ValueError: bad shape", "bad")]
    [InlineData("torch.cuda.OutOfMemoryError: CUDA out of memory", "bad")]
    [InlineData("sh: 3: nvcc: not found", "bad")]
    [InlineData("[W] tokenizers: the process was forked", "warn")]
    [InlineData("{\"loss\": 0.84, \"error_rate\": 0.1}", "")]
    public void A_line_is_toned_by_the_words_programs_use(string text, string tone) =>
        Assert.Equal(tone, ConsoleRow.Of(new LogLine(0, default, 1, LogSource.Program, text), ReaderZone.Utc).Tone);

    [Fact]
    public void A_line_without_end_is_toned_too_in_time_that_grows_with_its_length()
    {
        var text = new string('E', 64 * 1024); // one word: a search that backtracks looks at every pair of its letters

        Assert.Equal("", ConsoleRow.Of(new LogLine(0, default, 1, LogSource.Program, text), ReaderZone.Utc).Tone);
        Assert.Equal("bad", ConsoleRow.Of(new LogLine(0, default, 1, LogSource.Program, text + "Error: too long"), ReaderZone.Utc).Tone);
    }

    private IRenderedComponent<JobConsole> Console() => Render<JobConsole>(p => p.Add(c => c.JobId, new JobId(Guid.NewGuid())).Add(c => c.Live, true));

    private async Task Find(IRenderedComponent<JobConsole> console, string text)
    {
        var typed = console.Find(".console-find input").InputAsync(new Microsoft.AspNetCore.Components.ChangeEventArgs { Value = text });
        await Soon(
            () =>
            {
                _clock.Advance(TimeSpan.FromMilliseconds(250)); // again: a wait that begins after the clock was set forward would not see it
                return typed.IsCompleted;
            },
            "the search");
        await typed;
    }

    private static string? Count(IRenderedComponent<JobConsole> console) => console.FindAll(".console-find .note").SingleOrDefault()?.TextContent;

    // History and tail together are exactly 0..count-1: the tail is contiguous and begins where the history ends.
    private async Task Holds(IRenderedComponent<JobConsole> console, int count)
    {
        await Soon(() => _tail.Held is [.., var last] && last == count - 1 && HistoryEnd(console) == _tail.Held[0], $"{count} lines, each once");
        Assert.Equal(Enumerable.Range(HistoryEnd(console), count - HistoryEnd(console)), _tail.Held);
        var shown = Shown(console);
        Assert.Equal(Enumerable.Range(1, shown.Length), shown);
    }

    private static Task Soon(Func<bool> holds, string what) => Eventually.HoldsAsync(holds, what, TimeSpan.FromMinutes(1), Xunit.TestContext.Current.CancellationToken);

    // Virtualize renders a hundred rows at most and leaves room for the others: a row is 20 px.
    private static int HistoryEnd(IRenderedComponent<JobConsole> console) =>
        Shown(console).Length + (int)console.FindAll(".console-history > div[aria-hidden]").Sum(room => double.Parse(RoomHeight().Match(room.GetAttribute("style")!).Groups[1].ValueSpan, CultureInfo.InvariantCulture) / 20);

    private static int[] Shown(IRenderedComponent<JobConsole> console) =>
        [.. console.FindAll(".console-history .line .no").Select(n => int.Parse(n.TextContent, NumberStyles.AllowThousands, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"(?:^|\s)height: ([\d.]+)px")]
    private static partial Regex RoomHeight();
}
