using System.Reflection;
using Dashboard.Domain;
using Dashboard.Domain.Marketplaces;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Lifecycle;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Dashboard.Infrastructure.Tests.Lifecycle;

/// <summary>How many searches jobs cost that wait for a price.</summary>
public sealed class PriceLooksTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private readonly FakeTimeProvider _time = new();
    private readonly Searched _market = (Searched)(object)DispatchProxy.Create<IMarketplace, Searched>();
    private readonly Connection _connection = Account();
    private readonly PriceLooks _looks;

    public PriceLooksTests() => _looks = new PriceLooks(new OneMarket((IMarketplace)(object)_market), Options.Create(new LifecycleOptions { OrderLook = Minute }), _time);

    private static CancellationToken Now => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Ten_jobs_with_one_question_cost_one_search_a_minute()
    {
        for (var minute = 0; minute < 5; minute++)
        {
            var asked = Enumerable.Range(0, 10).Select(_ => _looks.SearchAsync(_connection, Of(60), Now)).ToList();
            _market.Answer();
            await Task.WhenAll(asked);
            _time.Advance(Minute);
        }

        Assert.Equal(5, _market.Searches);
        Assert.Equal(Minute, _looks.Every(_connection.Id));
    }

    [Fact]
    public async Task Many_different_questions_are_asked_less_often_each_and_forgotten_when_nobody_asks()
    {
        foreach (var disk in Enumerable.Range(10, 8))
        {
            await AskAsync(Of(disk));
        }

        Assert.Equal(Minute * 4, _looks.Every(_connection.Id)); // two searches a minute in all
        Assert.Equal(Minute, _looks.Every(new ConnectionId(Guid.NewGuid())));
        _time.Advance(Minute * 9);
        await AskAsync(Of(10));
        Assert.Equal(Minute, _looks.Every(_connection.Id));
    }

    [Fact]
    public async Task An_answer_of_another_account_is_not_shared()
    {
        await AskAsync(Of(60));
        var other = _looks.SearchAsync(Account(), Of(60), Now);
        _market.Answer();
        await other;
        Assert.Equal(2, _market.Searches);
    }

    [Fact]
    public async Task A_failed_search_is_no_answer_and_one_that_was_given_up_fails_as_a_provider_that_does_not_answer()
    {
        using var leaving = new CancellationTokenSource();
        var first = _looks.SearchAsync(_connection, Of(60), leaving.Token);
        var second = _looks.SearchAsync(_connection, Of(60), Now);
        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAsync<ProviderUnavailableException>(() => second);
        await AskAsync(Of(60));
        Assert.Equal(2, _market.Searches);
    }

    private static OfferQuery Of(decimal disk) => new() { DiskGb = disk };

    private async Task AskAsync(OfferQuery query)
    {
        var asked = _looks.SearchAsync(_connection, query, Now);
        _market.Answer();
        await asked;
    }

    private static Connection Account() => new()
    {
        Id = new ConnectionId(Guid.NewGuid()),
        TeamId = new TeamId(Guid.NewGuid()),
        Market = new Market(Provider.VastAi, "http://127.0.0.1:1", Simulated: true),
        Name = "Sandbox",
        ProtectedKey = "-",
        KeyEnding = "41ab",
        AccountId = "1",
        AccountName = "sandbox",
        Status = ConnectionStatus.Works,
        CreatedAt = DateTimeOffset.UnixEpoch,
    };

    private sealed class OneMarket(IMarketplace market) : IMarketplaces
    {
        public IMarketplace For(Connection connection) => market;

        public IMarketplace For(Market wanted, Domain.Marketplaces.Secret key) => throw new NotSupportedException();
    }

    /// <summary>Counts searches and answers them when told to.</summary>
    public class Searched : DispatchProxy
    {
        private TaskCompletionSource<IReadOnlyList<Offer>> _answer = new();

        internal int Searches { get; private set; }

        internal void Answer() => _answer.TrySetResult([]);

        protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
        {
            if (targetMethod?.Name != nameof(IMarketplace.SearchAsync))
            {
                throw new NotSupportedException(targetMethod?.Name);
            }

            Searches++;
            _answer = new TaskCompletionSource<IReadOnlyList<Offer>>();
            return _answer.Task.WaitAsync((CancellationToken)args![1]!);
        }
    }
}
