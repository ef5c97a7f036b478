using System.Threading.Channels;
using Dashboard.Domain.Teams;
using Dashboard.Infrastructure.Live;
using Microsoft.AspNetCore.Components;

namespace Dashboard.Web.Components;

/// <summary>
/// A view of one query: reads it when its parameters change, and again when the team's data did, at most once a second.
/// Its faces: loading (<see cref="Data"/> and <see cref="Failure"/> null), failed (only a failure), stale (both: the data stays), and the data.
/// </summary>
public abstract partial class LiveView<T> : ComponentBase, IAsyncDisposable
    where T : class
{
    private static readonly TimeSpan LeastGap = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(15); // ages move on although nothing changed

    private readonly CancellationTokenSource _leaving = new();
    private readonly Channel<bool> _due = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private Task _following = Task.CompletedTask;
    private object? _asked;

    [Inject] private ChangeFeed Feed { get; set; } = null!;

    [Inject] protected TimeProvider Clock { get; set; } = null!;

    [Inject] private ILoggerFactory Loggers { get; set; } = null!;

    [CascadingParameter] public TeamContext Team { get; set; } = null!;

    protected T? Data { get; private set; }

    /// <summary>Why the last read failed, in its own words; null when it worked.</summary>
    protected string? Failure { get; private set; }

    /// <summary>When <see cref="Data"/> was read.</summary>
    protected DateTimeOffset? ReadAt { get; private set; }

    /// <summary>The rows this view shows, in one query.</summary>
    protected abstract Task<T> QueryAsync(CancellationToken ct);

    /// <summary>What the query depends on besides the team; a different value reads anew.</summary>
    protected virtual object? Asks => null;

    /// <summary>Whether a change of this job, or of money and machines (null), may show here.</summary>
    protected virtual bool Concerns(Change change) => true;

    protected override async Task OnParametersSetAsync()
    {
        var asks = (Team.TeamId, Asks);
        if (!asks.Equals(_asked))
        {
            _asked = asks;
            await ReadAsync();
        }
    }

    protected override void OnAfterRender(bool firstRender)
    {
        if (firstRender) // not earlier: prerendering must not open a feed nobody will close
        {
            _following = FollowAsync();
        }
    }

    /// <summary>Reads now. A failure keeps what was read before.</summary>
    protected async Task ReadAsync()
    {
        try
        {
            Data = await QueryAsync(_leaving.Token);
            (Failure, ReadAt) = (null, Clock.GetUtcNow());
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested) { }
        catch (Exception error)
        {
            Failure = error.Message;
            NotRead(Loggers.CreateLogger(GetType()), GetType().Name, error);
        }
    }

    private async Task FollowAsync()
    {
        try
        {
            await Task.WhenAll(HearChangesAsync(), TickAsync(), ReReadAsync());
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested) { }
        catch (ObjectDisposedException) when (_leaving.IsCancellationRequested) { }
    }

    private async Task HearChangesAsync()
    {
        await foreach (var change in Feed.SubscribeAsync(Team.TeamId, _leaving.Token))
        {
            if (Concerns(change))
            {
                _due.Writer.TryWrite(true);
            }
        }
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(Longest, Clock);
        while (await timer.WaitForNextTickAsync(_leaving.Token))
        {
            _due.Writer.TryWrite(true);
        }
    }

    private async Task ReReadAsync()
    {
        await foreach (var _ in _due.Reader.ReadAllAsync(_leaving.Token))
        {
            await InvokeAsync(async () =>
            {
                await ReadAsync();
                StateHasChanged();
            });
            await Task.Delay(LeastGap, Clock, _leaving.Token);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _following;
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }

    [LoggerMessage(EventId = 5101, Level = LogLevel.Warning, Message = "{View} could not be read")]
    private static partial void NotRead(ILogger logger, string view, Exception error);
}
