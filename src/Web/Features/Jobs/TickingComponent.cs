using Microsoft.AspNetCore.Components;

namespace Dashboard.Web.Features.Jobs;

/// <summary>A component whose figures move with the clock: renders again at its own pace while it lives, never faster than once a second.</summary>
public abstract class TickingComponent : ComponentBase, IAsyncDisposable
{
    private readonly CancellationTokenSource _leaving = new();
    private Task _ticking = Task.CompletedTask;

    [Inject] protected TimeProvider Clock { get; set; } = null!;

    /// <summary>The instant every figure of this rendering is of.</summary>
    protected DateTimeOffset Now { get; private set; }

    protected virtual TimeSpan Every => TimeSpan.FromSeconds(1);

    /// <summary>Whether anything moves at all.</summary>
    protected abstract bool Moves { get; }

    protected override void OnParametersSet() => Now = Clock.GetUtcNow();

    // Not earlier: a prerendered page has nobody to tick for.
    protected override void OnAfterRender(bool firstRender)
    {
        if (firstRender)
        {
            _ticking = TickAsync();
        }
    }

    private async Task TickAsync()
    {
        using var timer = new PeriodicTimer(Every, Clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_leaving.Token))
            {
                if (Moves)
                {
                    Now = Clock.GetUtcNow();
                    StateHasChanged();
                }
            }
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested) { }
    }

    public async ValueTask DisposeAsync()
    {
        await _leaving.CancelAsync();
        await _ticking;
        _leaving.Dispose();
        GC.SuppressFinalize(this);
    }
}
