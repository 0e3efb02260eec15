// The switch between light and dark. Pictures that are drawn hear of it by the event `themechange`.

export function followTheme(): void {
  document.querySelector<HTMLButtonElement>('#theme')?.addEventListener('click', () => {
    const { dataset } = document.documentElement;
    const isDark = dataset['theme'] ? dataset['theme'] === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
    dataset['theme'] = isDark ? 'light' : 'dark';
    localStorage.setItem('theme', dataset['theme']);
    document.dispatchEvent(new Event('themechange'));
  });
}
