using Dashboard.Sandbox.Http;
using Dashboard.Sandbox.Market;

namespace Dashboard.Sandbox.Tests.Http;

/// <summary>What was switched is there again after a restart: the same files, read by somebody new.</summary>
public sealed class KeptSwitchTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sandbox-switches-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void A_fault_goes_on_striking_where_it_was()
    {
        var rule = new Fault { Path = "/api/v1/instances", Kind = FaultKind.Status, Probability = 0.5, Seed = 3, Count = 4 };
        var lasting = new FaultBoard(new Switches(Path.Combine(_folder.FullName, "uninterrupted.json"), LimitMode.Off));
        lasting.Add(rule);
        new FaultBoard(Open()).Add(rule);

        var (whole, before, after) = (Strikes(lasting, 20), Strikes(new FaultBoard(Open()), 5), Strikes(new FaultBoard(Open()), 15));

        Assert.Equal(whole, before + after);
        Assert.Equal(4, whole.Count(call => call == 'x'));
        Assert.Equal(20, new FaultBoard(Open()).All.Single().Matched);
    }

    [Fact]
    public void A_stale_answer_is_remembered()
    {
        var fault = new FaultBoard(Open()).Add(new Fault { Path = "/api/v1/instances", Kind = FaultKind.Stale });
        new FaultBoard(Open()).FirstAnswer(fault.Id, "GET /x", new StaleAnswer(200, "application/json", [1]));

        Assert.Equal([1], new FaultBoard(Open()).FirstAnswer(fault.Id, "GET /x", new StaleAnswer(200, "application/json", [2])).Body);
        Assert.Equal([3], new FaultBoard(Open()).FirstAnswer(fault.Id, "GET /y", new StaleAnswer(200, "application/json", [3])).Body);
    }

    [Fact]
    public void Switches_hold_against_the_command_line()
    {
        Assert.Equal((LimitMode.Real, Limits.RowsADay), (Open(LimitMode.Real).Limits, Open(LimitMode.Real).RowsADay));
        Open().Change(positions => positions.Limits = LimitMode.Harsh);

        Assert.Equal((LimitMode.Harsh, Limits.HarshRowsADay), (Open(LimitMode.Real).Limits, Open(LimitMode.Real).RowsADay));
    }

    [Fact]
    public void Accounts_and_their_keys_are_there_again_and_readable_by_their_owner_alone()
    {
        var book = Path.Combine(_folder.FullName, "accounts.json");
        var (account, key) = new Accounts(book, "first").Open("second");
        new Accounts(book, "first").Reset(MarketState.FirstAccount);

        var again = new Accounts(book, "another");

        Assert.Equal((account.Id, account.Id), (again.FindKey(key.Secret)!.AccountId, again.Find(account.Id)!.Id));
        Assert.Equal(KeyStanding.Deleted, again.FindKey("first")!.Standing);
        Assert.Equal(KeyStanding.Valid, again.FindKey(again.FullKeyOf(MarketState.FirstAccount))!.Standing);
        Assert.Null(again.FindKey("another"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(book));
    }

    [Theory]
    [InlineData(null, "/api/v0/asks/*", "PUT", "/api/v0/asks/7/", true)]
    [InlineData("put", "/api/v0/asks/*/", "PUT", "/api/v0/asks/7", true)]
    [InlineData("GET", "/api/v0/asks/*", "PUT", "/api/v0/asks/7/", false)]
    [InlineData(null, "/api/v0/instances/*", "GET", "/api/v0/instances/7/ssh/", false)]
    [InlineData(null, "/api/v0/instances/**", "GET", "/api/v0/instances/7/ssh/", true)]
    [InlineData(null, "/api/v0/instances", "GET", "/api/v0/instances.filters", false)]
    public void A_pattern_matches_within_a_segment_or_over_all(string? wantedMethod, string pattern, string method, string path, bool matches) =>
        Assert.Equal(matches, new RoutePattern(wantedMethod, pattern).Matches(method, path));

    private static string Strikes(FaultBoard board, int calls) =>
        string.Concat(Enumerable.Range(0, calls).Select(_ => board.Strike("GET", "/api/v1/instances/").Count > 0 ? 'x' : '.'));

    private Switches Open(LimitMode limits = LimitMode.Off) => new(Path.Combine(_folder.FullName, "switches.json"), limits);
}
