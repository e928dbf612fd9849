typedef int kemon_placeholder;
